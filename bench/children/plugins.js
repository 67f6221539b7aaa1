// Many plugins of the same bytes: `plugins.js NAME COUNT [BASE64]` makes so many, each with a first
// call, and sends what they took. The bytes are the Go plugin's unless they are given. It runs with
// --expose-gc.

import { GREETER, NAME } from '../greeter.js'
import { OURS, openOurs } from '../ours.js'
import { openPeer } from '../peers.js'
import { residentBytes, threads } from '../process.js'

const [name, count, base64] = process.argv.slice(2)

const [guest, call] = base64
  ? [{ wasm: Buffer.from(base64, 'base64') }, 'count']
  : [GREETER, 'say_hello']

/** Plugins that nobody holds would be collected. */
const plugins = []

async function add () {
  const plugin = name === OURS ? openOurs(guest) : await openPeer(name, guest)
  plugins.push(plugin)
  await plugin.call(call, NAME)
}

// The first one compiles, or fetches compiled code, and V8 compiles a second time in the background.
await add()
const before = await residentBytes()
const start = performance.now()
for (let i = 0; i < count; i++) await add()
const ms = performance.now() - start
const running = threads()
process.send({ ms, bytes: await residentBytes() - before, threads: running })
for (const plugin of plugins) await plugin.close()
