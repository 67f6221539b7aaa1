// The first compile of the Go plugin, without a cache: sends how many milliseconds it takes to make
// the plugin, the addon being loaded.

import { Plugin, Store, memoryGet } from 'extism-napi'
import { GREETER, MESSAGES } from '../greeter.js'

const functions = [memoryGet('hostMemoryGet', new Store(MESSAGES))]

const start = performance.now()
const plugin = await Plugin.create(GREETER.wasm, true, functions, undefined, undefined, { cache: false })
process.send(performance.now() - start)
await plugin.close()
