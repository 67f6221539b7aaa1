import { readFileSync } from 'node:fs'
import wabt from 'wabt'

const { parseWat } = await wabt()

/** The bytes of a module in the text format, for hosts that take no text. */
export function assemble (file) {
  const module = parseWat(file.pathname, readFileSync(file, 'utf8'))
  try {
    return Buffer.from(module.toBinary({}).buffer)
  } finally {
    module.destroy()
  }
}
