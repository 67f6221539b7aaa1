// The host function of server.js in JavaScript, over a Map: what to write when the values are
// not in a Store. It may be async, to ask a database for instance: the plugin waits, the event
// loop does not. Run it with `node examples/js-host-function.js [NAME]`.

import { readFileSync } from 'node:fs'
import { HostFunction, ValType, withContext } from 'extism-napi'

const messages = new Map([
  ['hello', '👋 Hello World 🌍'],
  ['message', 'I 💜 Extism 😍']
])

const hostMemoryGet = new HostFunction(
  'hostMemoryGet',
  [ValType.I64],
  [ValType.I64],
  async (plugin, [key], [value]) => {
    const message = messages.get(plugin.inputString(key))
    if (message !== undefined) plugin.returnString(value, message)
  }
)

const wasm = readFileSync(new URL('../plugin/simple.wasm', import.meta.url))

await withContext(async context => {
  const plugin = context.plugin(wasm, true, [hostMemoryGet])
  const output = await plugin.call('say_hello', process.argv[2] ?? 'Jane Doe')
  console.log(output.toString())
})
