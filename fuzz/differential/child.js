// Runs the modules that come in on standard input, and says line by line what came of each.

import { readFileSync } from 'node:fs'
import { attack } from './attack.js'
import { compare } from './compare.js'

const [mode, seed] = process.argv.slice(2)
const modules = split(readFileSync(0))
const tell = result => process.stdout.write(JSON.stringify(result) + '\n')

const slots = mode === 'compare' ? modules.shift() : undefined
for (let next = Number(seed); modules.length > 0; next++) {
  tell({ seed: next })
  const result = mode === 'compare' ? await compare(slots, modules.shift(), modules.shift()) : await attack(modules.shift())
  tell({ seed: next, done: true, ...result })
}

function split (bytes) {
  const pieces = []
  for (let at = 0; at < bytes.length;) {
    const start = at + 4
    at = start + bytes.readUInt32LE(at)
    pieces.push(bytes.subarray(start, at))
  }
  return pieces
}
