// A batch of modules, in a process of its own: the peer has no guard, and can crash or hang.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SMITH = fileURLToPath(new URL('../target/release/examples/smith', import.meta.url))
const CHILD = fileURLToPath(new URL('child.js', import.meta.url))

/** No module takes nearly as long. */
const HANGS_MS = 60_000

/**
 * Runs modules from `seed` on, and adds what came of them to the tally, whose `seed` is that of
 * the last one. Resolves with a finding, if there was one.
 */
export async function runBatch (mode, seed, count, tally) {
  const smith = spawn(SMITH, [mode, seed, count], { stdio: ['ignore', 'pipe', 'inherit'] })
  const child = spawn(process.execPath, ['--no-warnings', CHILD, mode, seed], { stdio: [smith.stdout, 'pipe', 'pipe'] })
  const exited = Promise.all([once(child, 'exit'), once(smith, 'exit')])
  smith.stdout.destroy()
  let errors = ''
  child.stderr.on('data', chunk => { errors = (errors + chunk).slice(-10_000) })
  let finding
  let hung = false
  const kill = () => {
    hung = true
    child.kill('SIGKILL')
  }
  let timer = setTimeout(kill, HANGS_MS)
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(timer)
    timer = setTimeout(kill, HANGS_MS)
    const result = JSON.parse(line)
    tally.seed = result.seed
    if (result.finding) {
      child.kill()
      finding = result.finding
      break
    }
    if (!result.done) continue
    tally.modules++
    tally.calls += result.calls
    for (const outcome of result.outcomes) add(tally.outcomes, outcome)
    if (result.excuse) add(tally.excused, result.excuse)
  }
  clearTimeout(timer)
  const [[code, signal], [smithCode]] = await exited
  if (hung) finding = `it hung\n${errors}`
  else if (code !== 0) finding ??= `it ended with ${signal ?? code}\n${errors}`
  else if (smithCode !== 0) finding ??= `smith ended with ${smithCode}`
  return { finding }
}

function add (counts, key) {
  counts[key] = (counts[key] ?? 0) + 1
}
