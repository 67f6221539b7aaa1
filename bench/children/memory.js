// Memory over many calls: `memory.js NAME FIRST LAST` sends by how many MiB the process has grown
// between the first calls and the last ones. It runs with --expose-gc.

import { setTimeout as sleep } from 'node:timers/promises'
import { GREETER, NAME } from '../greeter.js'
import { OURS, openOurs } from '../ours.js'
import { openPeer } from '../peers.js'
import { lanes } from '../stats.js'

const [name, first, last] = process.argv.slice(2)

const plugin = name === OURS ? openOurs(GREETER) : await openPeer(name, GREETER)
const call = () => plugin.call('say_hello', NAME)

await lanes(Number(first), 64, call)
const before = await residentMiB()
await lanes(last - first, 64, call)
process.send(await residentMiB() - before)
await plugin.close()

/** What is in memory when all that can be collected has been. */
async function residentMiB () {
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await sleep(100)
  }
  return process.memoryUsage.rss() / (1 << 20)
}
