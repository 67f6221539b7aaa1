// The soak: `npm run soak -- [MINUTES] [--seed NUMBER] [--only PART]`, two minutes by default.
//
// Everything at once, mixed at random, and nothing may be lost, wrong, or left behind. `--only`,
// which can be there several times, leaves the other parts out: so one finds what grows. From one
// minute on, the load rests twice, which comes on top. Ctrl-C ends it early.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { loopDelay, readings } from './gauges.js'
import { SAMPLES_NEEDED, growth } from './growth.js'
import { Ledger } from './ledger.js'
import { Probe } from './probe.js'
import { randomFrom } from './random.js'
import { figures, line, operations } from './table.js'

const PARTS = ['calls', 'ends', 'failures', 'host-functions', 'http', 'instances', 'lives', 'services', 'stores', 'workers']
const LANES = 12
const LOAD_MS = 3_000
/** What has not settled by then never will: nothing is given more than a second here. */
const GRACE_MS = 60_000
/** Until all threads and connections that are of no further use have gone. */
const REST_MS = 13_000

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, only: { type: 'string', multiple: true, default: PARTS } }
})
const minutes = Number(positionals[0] ?? 2)
const seed = Number(options.seed ?? Date.now() % 2 ** 32)
for (const name of options.only) {
  if (!PARTS.includes(name)) throw new RangeError(`--only must be one of ${PARTS.join(', ')}; got ${name}`)
}
if (!(minutes > 0) || !Number.isInteger(seed)) throw new RangeError('usage: npm run soak -- [MINUTES] [--seed NUMBER] [--only PART]')

const stop = new AbortController()
// npm passes on what the terminal has sent already: the second one is not to end it at once.
process.on('SIGINT', () => stop.abort())

const ledger = new Ledger()
process.on('unhandledRejection', error => ledger.fail('process', `an unhandled rejection: ${error?.stack ?? error}`))
process.on('uncaughtException', error => ledger.fail('process', `an uncaught exception: ${error?.stack ?? error}`))
process.on('warning', ({ name, message }) => { if (name !== 'ExperimentalWarning') ledger.fail('process', `a warning: ${message}`) })

console.log(`soak: ${minutes} min, seed ${seed}, ${options.only.join(', ')}`)
const cache = mkdtempSync(path.join(tmpdir(), 'extism-napi-soak-'))
const samples = []
const rests = []
try {
  await run()
} finally {
  rmSync(cache, { recursive: true, force: true })
}
const grown = samples.length < SAMPLES_NEEDED ? [] : growth(samples, rests)
console.log(`\n${operations(ledger.accounts)}\n\n${figures(samples, rests)}\n`)
if (samples.length < SAMPLES_NEEDED) console.log(`growth was not judged: ${samples.length} samples, where ${SAMPLES_NEEDED} are needed`)
const failures = [...ledger.failures, ...grown]
for (const failure of failures) console.log(failure)
const failed = ledger.failed + grown.length
console.log(failed === 0 ? 'soak: passed' : `soak: failed, ${failed} times`)
process.exitCode = failed === 0 ? 0 : 1

async function run () {
  const random = randomFrom(seed)
  const settings = { cache }
  const book = (...args) => ledger.book(...args)
  const parts = []
  for (const name of options.only) {
    const { open } = await import(`./parts/${name}.js`)
    parts.push({ name, ...await open({ random, book, settings }) })
  }
  const mix = parts.flatMap(({ name, operations }) => Object.entries(operations).map(([operation, f]) => [`${name}: ${operation}`, f]))
  const probe = await Probe.start(ledger, settings)
  const delay = loopDelay()
  const start = performance.now()
  const end = start + minutes * 60_000
  const isWarm = () => performance.now() >= start + minutes * 15_000
  do {
    const loadEnd = performance.now() + LOAD_MS
    const lanes = Promise.all(Array.from({ length: LANES }, () => lane(random, mix, () => stop.signal.aborted || performance.now() >= loadEnd)))
    await settled(lanes, loadEnd + GRACE_MS)
    const timed = { ...probe.read(), ...delay.read() }
    for (const { check } of parts) check?.(text => ledger.fail('check', text))
    samples.push({ ...await readings(), ...timed })
    probe.read()
    delay.read()
    console.log(`${samples.length}: ${line(samples.at(-1))}`)
    if (rests.length === 0 && isWarm()) await rest()
    // One promise may be the probe's.
  } while (!stop.signal.aborted && performance.now() < end && ledger.open <= 1)
  await rest()
  delay.close()
  const closed = Promise.all([probe.close(), ...parts.map(({ close }) => close())])
  await settled(closed, performance.now() + GRACE_MS)
  ledger.giveUp()
}

async function rest () {
  if (minutes < 1) return
  await sleep(REST_MS, undefined, { signal: stop.signal }).catch(() => {})
  if (stop.signal.aborted) return
  rests.push(await readings())
  console.log(`at rest: ${line(rests.at(-1))}`)
}

async function lane (random, mix, isOver) {
  while (!isOver()) {
    // Some operations wait for nothing.
    await turn()
    const [name, operation] = random.pick(mix)
    try {
      await operation(name)
    } catch (error) {
      ledger.fail(name, error.stack)
    }
  }
}

/** Waits for a promise, though not for ever. */
async function settled (promise, until) {
  const gone = new AbortController()
  const limit = sleep(until - performance.now(), undefined, { signal: gone.signal }).catch(() => {})
  await Promise.race([promise, limit])
  gone.abort()
}
