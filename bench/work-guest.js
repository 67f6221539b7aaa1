// The guest that computes for as long as its input says, and a measure of what the event loop
// feels of it.

import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { openOurs } from './ours.js'

export const WORK_FILE = new URL('guests/work.wat', import.meta.url)

/** An input that keeps the guest busy for so many milliseconds here. */
export async function stepsFor (ms) {
  // A plugin of its own, since one that has made long calls may treat the next ones differently.
  const plugin = openOurs({ wasm: readFileSync(WORK_FILE) })
  const trial = 4_000_000
  const times = []
  for (let i = 0; i < 20; i++) {
    const start = performance.now()
    plugin.callSync('work', steps(trial))
    times.push(performance.now() - start)
  }
  await plugin.close()
  return steps(trial * ms / Math.min(...times))
}

function steps (count) {
  const input = Buffer.alloc(8)
  input.writeBigUInt64LE(BigInt(Math.round(count)))
  return input
}

/**
 * Calls for some time, so many at a time: calls a second, and what the 99th of 100 timers has to
 * wait meanwhile. Without `call` the event loop is idle.
 */
export async function callFor (ms, width, call) {
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
  await (call ? Promise.all(Array.from({ length: width }, lane)) : sleep(ms))
  histogram.disable()
  return {
    rate: calls / (performance.now() - start) * 1000,
    delay: histogram.percentile(99) / 1e6
  }
}
