// How many short calls leave JavaScript's thread. One that does pays for two hand-overs.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { lanes, atMost, row } from './stats.js'
import { openOurs } from './ours.js'
import { WORK_FILE, stepsFor } from './work-guest.js'

/** Longer than the addon's clock for guests goes on after a call: the next call has to start it. */
const REST_MS = 60

const CASES = {
  'extism-napi, 20 µs': { us: 20 },
  'extism-napi, 100 µs': { us: 100 },
  'extism-napi, 100 µs, rested': { us: 100, rested: true }
}

export async function run ({ moved }) {
  const results = {}
  for (const [name, { us, rested }] of Object.entries(CASES)) {
    results[name] = []
    for (let round = 0; round < moved.rounds; round++) results[name].push(await share(us, rested, moved))
  }
  const [short, longer] = Object.keys(CASES)
  return [
    row('moved', 'calls, one after another, that moved to another thread', '%', 'lower', results, [
      atMost(1, '%', 'calls of 20 µs that moved', results[short]),
      atMost(1, '%', 'calls of 100 µs that moved', results[longer])
    ])
  ]
}

/** The share of a plugin's calls that moved, in per cent. */
async function share (us, rested, { calls, rests }) {
  const input = await stepsFor(us / 1000)
  const plugin = openOurs({ wasm: readFileSync(WORK_FILE) })
  const call = () => plugin.call('work', input)
  await lanes(100, 1, call)
  const count = rested ? rests : calls
  const before = movedCalls(plugin)
  await lanes(count, 1, rested ? () => sleep(REST_MS).then(call) : call)
  const moved = movedCalls(plugin) - before
  await plugin.close()
  return moved / count * 100
}

function movedCalls (plugin) {
  return plugin.stats().moved ?? NaN
}
