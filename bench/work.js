// A guest that computes for 5 ms: what more instances bring, and what the event loop feels.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { closeAll } from './contenders.js'
import { assemble } from './floor.js'
import { OURS, openOurs } from './ours.js'
import { ALL, openPeers } from './peers.js'
import { atLeast, atMost, inTurn, mapValues, ratios, row } from './stats.js'

const TWO = 'extism-napi, 2 instances'
const IDLE = 'idle'
const WIDTH = 4

export async function run ({ work: { rounds, turnMs } }) {
  const guest = { wasm: assemble(new URL('guests/work.wat', import.meta.url)) }
  const one = openOurs(guest)
  const two = openOurs(guest, { instances: 2 })
  const contenders = { [OURS]: one, [TWO]: two, ...await openPeers(ALL, guest) }
  try {
    const input = await stepsFor(5, one)
    const calls = mapValues(contenders, ({ call }) => () => call('work', input))
    for (const call of Object.values(calls)) await during(turnMs / 5, call)
    return rows(await measure({ ...calls, [IDLE]: undefined }, rounds, turnMs))
  } finally {
    await closeAll(...Object.values(contenders))
  }
}

function rows (figures) {
  const { [IDLE]: idle, ...busy } = figures
  const rates = mapValues(busy, values => values.map(({ rate }) => rate))
  const delays = mapValues({ ...busy, [IDLE]: idle }, values => values.map(({ delay }) => delay))
  const beyondIdle = name => delays[name].map((delay, round) => delay - delays[IDLE][round])
  return [
    row('work', `a guest that computes for 5 ms, ${WIDTH} at a time`, 'calls/s', 'higher', rates, [
      atLeast(1.9, '×', '2 instances, of one', ratios(rates[TWO], rates[OURS]))
    ]),
    row('delay', 'the event loop’s delay meanwhile, p99', 'ms', 'lower', delays, [
      atMost(2, 'ms', 'delay beyond idle, p99', beyondIdle(OURS)),
      atMost(2, 'ms', 'delay beyond idle, p99, 2 instances', beyondIdle(TWO))
    ])
  ]
}

async function measure (calls, rounds, turnMs) {
  const figures = mapValues(calls, () => [])
  for (let round = 0; round < rounds; round++) {
    for (const name of inTurn(Object.keys(calls), round)) {
      figures[name].push(await during(turnMs, calls[name]))
    }
  }
  return figures
}

/** Calls a second for some time, and what the 99th of 100 timers has to wait. */
async function during (ms, call) {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  const start = performance.now()
  let calls = 0
  const lane = async () => {
    while (performance.now() < start + ms) {
      await call()
      calls++
      // As in a server, where each call comes with an event: promises alone would never let
      // the loop turn in the foreground.
      await turn()
    }
  }
  await (call ? Promise.all(Array.from({ length: WIDTH }, lane)) : sleep(ms))
  histogram.disable()
  return {
    rate: calls / (performance.now() - start) * 1000,
    delay: histogram.percentile(99) / 1e6
  }
}

/** An input that keeps the guest busy for so many milliseconds here. */
async function stepsFor (ms, { call }) {
  const trial = 4_000_000
  const times = []
  for (let i = 0; i < 20; i++) {
    const start = performance.now()
    await call('work', steps(trial))
    times.push(performance.now() - start)
  }
  return steps(trial * ms / Math.min(...times))
}

function steps (count) {
  const input = Buffer.alloc(8)
  input.writeBigUInt64LE(BigInt(Math.round(count)))
  return input
}
