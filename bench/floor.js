// The Rust program beside this file: the floor for calls.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
let program

/** Builds the program, once: its path. */
function build () {
  if (program) return program
  const cargo = spawnSync('cargo', [
    'build',
    '--release',
    '--locked',
    '--ignore-rust-version',
    '--example',
    'floor',
    '--message-format=json-render-diagnostics'
  ], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 30 })
  if (cargo.status !== 0) throw new Error('bench/floor.rs cannot be built', { cause: cargo.error })
  program = cargo.stdout.toString().split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line))
    .find(message => message.target?.name === 'floor' && message.executable)
    .executable
  return program
}

/** How many milliseconds the crate takes to compile a module for a plugin, in a process of its own. */
export function timeCrateCompile (file) {
  const { status, stdout } = spawnSync(build(), ['compile', fileURLToPath(file)], { stdio: ['ignore', 'pipe', 'inherit'] })
  if (status !== 0) throw new Error(`${file} cannot be compiled`)
  return JSON.parse(stdout).ns / 1e6
}

/** Calls `name` in a loop of Rust: a contender for `interleave`, with `close`. */
export function openFloor (file, name, bytes, expectedLength) {
  const child = spawn(build(), ['run', fileURLToPath(file), name, String(bytes)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async run (calls) {
      child.stdin.write(`${calls}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error('the Rust loop ended early')
      const { ns, output } = JSON.parse(value)
      if (output !== expectedLength) throw new Error(`the Rust loop got ${output} bytes`)
      return { time: ns / 1e6 }
    },
    async close () {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    }
  }
}
