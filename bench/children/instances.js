// Many calls that wait in a host function at the same time: `instances.js waiting COUNT` and
// `instances.js most PLUGINS INSTANCES` send what came of it. It runs with --expose-gc.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostFunction, ValType } from 'extism-napi'
import { openOurs } from '../ours.js'
import { residentBytes, threads } from '../process.js'

const GUEST = { wasm: readFileSync(new URL('../guests/pause.wat', import.meta.url)) }
const PAUSE_MS = 100
/** When no call has entered or failed for so long, none will. */
const PATIENCE_MS = 15_000

/** How many calls have entered their host function, and what each waits for in it. */
let entered = 0
let paused = () => sleep(PAUSE_MS)

const pause = new HostFunction('pause', [ValType.I64], [ValType.I64], async () => {
  entered++
  await paused()
})

const open = instances => openOurs(GUEST, { functions: [pause], instances })
const wait = plugin => plugin.call('wait', '', { timeoutMs: 0 })

const [scenario, ...amounts] = process.argv.slice(2)
process.send(await { waiting, most }[scenario](...amounts.map(Number)))

/** So many calls at once on as many instances of one plugin. */
async function waiting (count) {
  const plugin = open(count)
  await wait(plugin)
  const before = await residentBytes()
  // The first calls make the instances, the second ones find them.
  const first = await timeAll(plugin, count)
  const bytes = await bytesOfAll(plugin, count) - before
  const running = threads()
  const again = await timeAll(plugin, count)
  await plugin.close()
  return { first, again, bytes, threads: running }
}

async function timeAll (plugin, count) {
  const start = performance.now()
  await Promise.all(Array.from({ length: count }, () => wait(plugin)))
  return performance.now() - start
}

/** What is resident while all of them wait for the last one. */
async function bytesOfAll (plugin, count) {
  const gate = close()
  const calls = Array.from({ length: count }, () => wait(plugin))
  await settled(() => entered, count)
  const bytes = await residentBytes()
  gate.open()
  await Promise.all(calls)
  return bytes
}

/** Plugins with so many instances each, all in a call, until there are no more to be had. */
async function most (plugins, instances) {
  const gate = close()
  const opened = []
  const calls = []
  const failures = []
  const start = performance.now()
  while (opened.length < plugins && failures.length === 0) {
    const plugin = open(instances)
    opened.push(plugin)
    for (let i = 0; i < instances; i++) calls.push(wait(plugin).catch(error => failures.push(error)))
    if (!await settled(() => entered + failures.length, calls.length)) break
  }
  const ms = performance.now() - start
  const count = entered
  const codes = failures.map(({ code }) => code)
  const refused = failures.length
  gate.open()
  await Promise.all(calls)
  for (const plugin of opened) await plugin.close()
  // Those that were in are to come out again.
  return { answered: count - (failures.length - refused), codes, ms }
}

/** Has host functions wait until the gate is opened. */
function close () {
  entered = 0
  const { promise, resolve } = withResolvers()
  paused = () => promise
  return {
    open () {
      paused = () => sleep(PAUSE_MS)
      resolve()
    }
  }
}

function withResolvers () {
  const resolvers = {}
  resolvers.promise = new Promise(resolve => { resolvers.resolve = resolve })
  return resolvers
}

/** Whether a counter gets there; no longer when it stands still. */
async function settled (counter, goal) {
  let last = counter()
  let since = performance.now()
  while (last < goal) {
    await sleep(5)
    if (counter() !== last) [last, since] = [counter(), performance.now()]
    if (performance.now() - since > PATIENCE_MS) return false
  }
  return true
}
