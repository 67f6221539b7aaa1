// A guest that computes for 5 ms, and for 0.2: what more instances bring, and what the event loop
// feels.

import { assemble } from './assemble.js'
import { calling, closeAll } from './contenders.js'
import { OURS, openOurs } from './ours.js'
import { ALL, FOREGROUND, openPeers } from './peers.js'
import { atLeast, atMost, differences, inTurn, interleave, mapValues, ratios, row } from './stats.js'
import { WORK_FILE, callFor, stepsFor } from './work-guest.js'

const TWO = 'extism-napi, 2 instances'
const FOUR = 'extism-napi, 4 instances'
const IDLE = 'idle'
const WIDTH = 4
const SHORT_WIDTH = 64

export async function run (settings) {
  const guest = { wasm: assemble(WORK_FILE) }
  return [...await long(guest, settings.work), await short(guest, settings)]
}

async function long (guest, { rounds, turnMs }) {
  const contenders = {
    [OURS]: openOurs(guest),
    [TWO]: openOurs(guest, { instances: 2 }),
    ...await openPeers(ALL, guest)
  }
  try {
    const input = await stepsFor(5)
    const calls = mapValues(contenders, ({ call }) => () => call('work', input))
    for (const call of Object.values(calls)) await callFor(turnMs / 5, WIDTH, call)
    return longRows(await measure({ ...calls, [IDLE]: undefined }, rounds, turnMs))
  } finally {
    await closeAll(...Object.values(contenders))
  }
}

function longRows (figures) {
  const { [IDLE]: idle, ...busy } = figures
  const rates = mapValues(busy, values => values.map(({ rate }) => rate))
  const delays = mapValues({ ...busy, [IDLE]: idle }, values => values.map(({ delay }) => delay))
  return [
    row('work', `a guest that computes for 5 ms, ${WIDTH} at a time`, 'calls/s', 'higher', rates),
    row('delay', 'the event loop’s delay meanwhile, p99', 'ms', 'lower', delays, [
      atMost(2, 'ms', 'delay beyond idle, p99', differences(delays[OURS], delays[IDLE])),
      atMost(2, 'ms', 'delay beyond idle, p99, 2 instances', differences(delays[TWO], delays[IDLE]))
    ])
  ]
}

async function measure (calls, rounds, turnMs) {
  const figures = mapValues(calls, () => [])
  for (let round = 0; round < rounds; round++) {
    for (const name of inTurn(Object.keys(calls), round)) {
      figures[name].push(await callFor(turnMs, WIDTH, calls[name]))
    }
  }
  return figures
}

async function short (guest, settings) {
  const contenders = {
    [OURS]: openOurs(guest),
    [FOUR]: openOurs(guest, { instances: 4 }),
    ...await openPeers(FOREGROUND, guest)
  }
  try {
    const input = await stepsFor(0.2)
    const figures = await interleave(calling(contenders, 'work', input, { width: SHORT_WIDTH }), settings)
    const rates = mapValues(figures, ({ time }) => time.map(ms => 1000 / ms))
    return row('short-work', `a guest that computes for 0.2 ms, ${SHORT_WIDTH} at a time`, 'calls/s', 'higher', rates, [
      atLeast(1.5, '×', `0.2 ms, ${SHORT_WIDTH} at a time, 4 instances, of one`, ratios(rates[FOUR], rates[OURS]))
    ])
  } finally {
    await closeAll(...Object.values(contenders))
  }
}
