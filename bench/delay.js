// What the event loop feels of guests, with all cores and with one. Each measurement is a process
// of its own.

import { canPin, runChild } from './children/child.js'
import { OURS } from './ours.js'
import { FOREGROUND } from './peers.js'
import { atMost, differences, inTurn, row } from './stats.js'

const IDLE = 'idle'
const THREADS = 'native threads'
/** Contenders by scenario of children/delay.js. */
const LOOPS = { [OURS]: 'loops', [THREADS]: 'threads', [IDLE]: 'idle' }

export async function run ({ delay: settings }) {
  const loops = await measureLoops(settings, LOOPS)
  const awaited = await measureAwaited(settings)
  const calls = settings.calls.toLocaleString('en')
  const rows = [
    delayRow('delay-loops', 'the event loop’s delay beside 16 plugins in endless loops', loops, [
      atMost(2, 'ms', 'delay beside 16 endless loops, beyond native threads', differences(loops[OURS], loops[THREADS]))
    ]),
    delayRow('delay-awaited', `the delay of a 5 ms timer during ${calls} awaited calls`, awaited, [
      atMost(5, 'ms', `delay of a 5 ms timer during ${calls} awaited calls`, awaited[OURS])
    ])
  ]
  return canPin() ? [...rows, ...await oneCore(settings, calls)] : rows
}

/** The same, and a guest that computes, where all threads share a core. */
async function oneCore ({ oneCoreRounds: rounds, ...settings }, calls) {
  const one = { ...settings, rounds, cpu: 0 }
  const work = await measureLoops(one, { [OURS]: 'work', [IDLE]: 'idle' })
  const loops = await measureLoops(one, LOOPS)
  const awaited = await measureAwaited(one)
  return [
    delayRow('delay-work-one-core', 'the event loop’s delay beside a guest that computes for 5 ms, 4 at a time, one core', work),
    delayRow('delay-loops-one-core', 'the event loop’s delay beside 16 plugins in endless loops, one core', loops),
    delayRow('delay-awaited-one-core', `the delay of a 5 ms timer during ${calls} awaited calls, one core`, awaited)
  ]
}

function delayRow (id, title, results, targets) {
  return row(id, `${title}, p99`, 'ms', 'lower', results, targets)
}

function measureLoops ({ rounds, turnMs, cpu }, scenarios) {
  return inTurns(Object.keys(scenarios), rounds, name => runChild('delay.js', [scenarios[name], name, turnMs], { cpu }))
}

function measureAwaited ({ rounds, calls, cpu }) {
  return inTurns([OURS, ...FOREGROUND], rounds, name => runChild('delay.js', ['awaited', name, calls], { cpu }))
}

async function inTurns (names, rounds, measure) {
  const delays = Object.fromEntries(names.map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of inTurn(names, round)) delays[name].push(await measure(name))
  }
  return delays
}
