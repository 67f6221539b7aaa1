// Makes plugins of manifests that are nearly right, and of some that are not at all:
//
//   node fuzz/manifest.js [--seconds 20 | --count 20000] [--seed N]
//
// Each ends in a plugin that works, or an error with a code or of the class TypeError.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const HANGS_MS = 60_000

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, count: { type: 'string' }, seed: { type: 'string' } }
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 40))
const count = values.count ?? (values.seconds ? 'Infinity' : '20000')
const child = spawn(process.execPath, [
  fileURLToPath(new URL('manifests/child.js', import.meta.url)), seed, count, values.seconds ?? 'Infinity'
], { stdio: ['ignore', 'pipe', 'inherit'] })
const exited = once(child, 'exit')

// A line before each manifest, so that there is a seed where the process is gone.
let last
let summary
let timer
for await (const line of createInterface({ input: child.stdout })) {
  clearTimeout(timer)
  timer = setTimeout(() => child.kill('SIGKILL'), HANGS_MS)
  if (line.startsWith('{')) summary = line
  else last = line
}
clearTimeout(timer)
const [code, signal] = await exited
if (code !== 0 || !summary) {
  console.error(`it ended with ${signal ?? code}\nagain: node fuzz/manifest.js --count 1 --seed ${last}`)
  process.exitCode = 1
} else console.log(summary)
