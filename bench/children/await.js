// What an `await` costs before the addon is loaded, and after calls with host functions in
// JavaScript: sends { before, after }, in nanoseconds.

import { setTimeout as sleep } from 'node:timers/promises'
import { summary } from '../stats.js'

const AWAITS = 300_000
const SAMPLES = 9
const resolved = Promise.resolve()

const before = await nanoseconds()
const { asyncMapFunction, mapFunction, openModern, openOurs } = await import('../ours.js')
const { GREETER, NAME } = await import('../greeter.js')
const hostMemoryGet = async (context, key) => context.store(context.read(key).text())
for (const plugin of [
  openOurs(GREETER, { functions: [mapFunction()] }),
  openOurs(GREETER, { functions: [asyncMapFunction()] }),
  await openModern(GREETER, { functions: { 'extism:host/user': { hostMemoryGet } } })
]) {
  await plugin.call('say_hello', NAME)
  await plugin.close()
}
process.send({ before, after: await nanoseconds() })

async function nanoseconds () {
  const samples = []
  for (let i = 0; i < SAMPLES; i++) {
    const start = performance.now()
    for (let left = AWAITS; left > 0; left--) await resolved
    samples.push((performance.now() - start) / AWAITS * 1e6)
    await sleep(1)
  }
  return summary(samples).median
}
