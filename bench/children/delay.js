// What the event loop feels: `delay.js SCENARIO NAME AMOUNT` sends the 99th percentile of its
// delay, in milliseconds. AMOUNT is milliseconds, or calls for `awaited`.

import { readFileSync } from 'node:fs'
import os from 'node:os'
import { GREETER, NAME } from '../greeter.js'
import { OURS, openOurs } from '../ours.js'
import { openPeer } from '../peers.js'
import { lanes, percentile } from '../stats.js'
import { WORK_FILE, callFor, stepsFor } from '../work-guest.js'
import { startChild } from './child.js'

const PLUGINS = 16
const TIMER_MS = 5

const [scenario, name, amount] = process.argv.slice(2)
process.send(await { idle, work, loops, threads, awaited }[scenario](Number(amount)))

async function idle (ms) {
  return (await callFor(ms)).delay
}

/** A guest that computes for 5 ms, 4 at a time. */
async function work (ms) {
  const plugin = openOurs({ wasm: readFileSync(WORK_FILE) })
  const input = await stepsFor(5)
  const call = () => plugin.call('work', input)
  await callFor(ms / 5, 4, call)
  const { delay } = await callFor(ms, 4, call)
  await plugin.close()
  return delay
}

/** Plugins in endless loops, each called again whenever its timeout has ended a call. */
async function loops (ms) {
  const plugins = Array.from({ length: PLUGINS }, () => openOurs({ wasm: readFileSync(WORK_FILE) }))
  const end = performance.now() + ms
  const spinning = plugins.map(async plugin => {
    while (performance.now() < end) {
      const code = await plugin.call('spin', '', { timeoutMs: 400 }).then(() => 'none', error => error.code)
      if (code !== 'ERR_EXTISM_TIMEOUT') throw new Error(`an endless loop ended with ${code}`)
    }
  })
  const delay = await idle(ms)
  await Promise.all(spinning)
  for (const plugin of plugins) await plugin.close()
  return delay
}

/**
 * As many threads that spin as the addon has workers: one fewer than there are cores, at least
 * one. They are processes, because a priority is a thread's and worker_threads cannot set theirs.
 */
async function threads (ms) {
  const workers = Math.max(os.availableParallelism() - 1, 1)
  const spinning = []
  for (let i = 0; i < workers; i++) spinning.push(await startChild('spin.js'))
  const delay = await idle(ms)
  for (const child of spinning) await child.kill()
  return delay
}

/** By how much timers are late while calls are awaited one after another. */
async function awaited (calls) {
  const plugin = name === OURS ? openOurs(GREETER) : await openPeer(name, GREETER)
  const call = () => plugin.call('say_hello', NAME)
  await lanes(1000, 1, call)
  const late = []
  let due, timer
  const arm = () => {
    due = performance.now() + TIMER_MS
    timer = setTimeout(() => {
      late.push(performance.now() - due)
      arm()
    }, TIMER_MS)
  }
  arm()
  await lanes(calls, 1, call)
  clearTimeout(timer)
  // Where the event loop never turned, this timer is the first one.
  late.push(Math.max(performance.now() - due, 0))
  await plugin.close()
  return percentile(late, 0.99)
}
