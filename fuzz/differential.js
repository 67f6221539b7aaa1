// Runs generated modules here and in V8, and compares; and others, of any features, only here:
//
//   node fuzz/differential.js --seconds 20 [--seed N] [--count N] [--only compare|any]
//
// It fails on a difference that nothing excuses, on a crash or a hang, and where too little ran.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runBatch } from './differential/batch.js'

/** As many run at least, however slow the machine is. */
const BATCH = 50

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    seed: { type: 'string' },
    count: { type: 'string' },
    only: { type: 'string' }
  }
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 40))
const modes = values.only ? [values.only] : ['compare', 'any']
const folder = fileURLToPath(new URL('.', import.meta.url))
execFileSync('cargo', ['build', '--release', '--locked', '--quiet', '--example', 'smith'], { cwd: folder, stdio: 'inherit' })

const summary = { seed }
let failed = false
for (const mode of modes) {
  const tally = summary[mode] = { modules: 0, calls: 0, outcomes: {}, excused: {} }
  // The time is shared; a count is of each.
  const end = performance.now() + Number(values.seconds) * 1000 / modes.length
  const started = performance.now()
  for (let next = seed; !failed && (values.count ? tally.modules < values.count : performance.now() < end);) {
    const count = Math.min(BATCH, values.count ? values.count - tally.modules : Infinity)
    const { finding } = await runBatch(mode, next, count, tally)
    next += count
    if (finding) {
      failed = true
      console.error(`${finding}\nagain: node fuzz/differential.js --only ${mode} --count 1 --seed ${tally.seed}`)
    }
  }
  tally.perSecond = Math.round(tally.modules / (performance.now() - started) * 1000)
  delete tally.seed
  if (!values.count && tally.modules < BATCH) {
    failed = true
    console.error(`only ${tally.modules} modules of mode ${mode} were run`)
  }
}
console.log(JSON.stringify(summary))
process.exitCode = failed ? 1 : 0
