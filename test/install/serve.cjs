'use strict'

// The article's server, on node:http: packages.test.js copies it to where the package is installed.

const { readFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { text } = require('node:stream/consumers')

const messages = new Map([
  ['hello', '👋 Hello World 🌍'],
  ['message', 'I 💜 Extism 😍']
])

/** Serves a plugin's `say_hello` with what the package exports, and prints the port. */
module.exports = function serve ({ Context, HostFunction, ValType }, wasmFile) {
  function memoryGet (plugin, inputs, outputs) {
    const value = messages.get(plugin.memory(inputs[0].v.i64).toString())
    const offset = plugin.memoryAlloc(Buffer.byteLength(value))
    plugin.memory(offset).write(value)
    outputs[0].v.i64 = offset
  }

  const hostMemoryGet = new HostFunction('hostMemoryGet', [ValType.I64], [ValType.I64], memoryGet, '')
  const plugin = new Context().plugin(readFileSync(wasmFile), true, [hostMemoryGet])
  const server = createServer(async (request, response) => {
    response.end(await plugin.call('say_hello', await text(request)))
  })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
}
