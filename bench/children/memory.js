// Memory over many calls: `memory.js NAME FIRST LAST` sends by how many MiB the process has grown
// between the first calls and the last ones. It runs with --expose-gc.

import { GREETER, NAME } from '../greeter.js'
import { OURS, openOurs } from '../ours.js'
import { openPeer } from '../peers.js'
import { residentBytes } from '../process.js'
import { lanes } from '../stats.js'

const [name, first, last] = process.argv.slice(2)

const plugin = name === OURS ? openOurs(GREETER) : await openPeer(name, GREETER)
const call = () => plugin.call('say_hello', NAME)

await lanes(Number(first), 64, call)
const before = await residentBytes()
await lanes(last - first, 64, call)
process.send((await residentBytes() - before) / (1 << 20))
await plugin.close()
