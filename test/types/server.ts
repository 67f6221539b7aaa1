// A server in the manner of the Extism SDK of 2023, in TypeScript: a host function in JavaScript
// that reads a Map, through offsets into the plugin's memory. It is only type-checked, never run.

import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { Context, ExtismError, HostFunction, ValType } from 'extism-napi'
import type { HostFunctionCallback, LegacyCurrentPlugin } from 'extism-napi'

const messages = new Map<string, string>()
messages.set('hello', '👋 Hello World 🌍')
messages.set('message', 'I 💜 Extism 😍')

const lookUp: HostFunctionCallback<[ValType.I64], [ValType.I64], [userData: string]> =
  (plugin, inputs, outputs, userData) => {
    const key = plugin.memory(inputs[0].v.i64).toString()
    const value = messages.get(key) ?? userData
    const offset = plugin.memoryAlloc(Buffer.byteLength(value))
    plugin.memory(offset).write(value)
    outputs[0].v.i64 = offset
  }

/** The same without the types of the signature, as code that comes from JavaScript has it. */
function untyped (plugin: LegacyCurrentPlugin, inputs: any[], outputs: any[], userData: string) {
  const key = plugin.memory(inputs[0].v.i64)
  const value = messages.get(key.toString()) ?? userData
  const offset = plugin.memoryAlloc(Buffer.byteLength(value))
  plugin.memory(offset).write(value)
  outputs[0].v.i64 = offset
}

const hostFunctions = [
  new HostFunction('hostMemoryGet', [ValType.I64], [ValType.I64], lookUp, ''),
  new HostFunction('hostMemoryGetAgain', [ValType.I64], [ValType.I64], untyped, '')
]

const context = new Context()
const plugin = context.plugin(readFileSync('plugin/simple.wasm'), true, hostFunctions)

const fastify = Fastify({ logger: true })

fastify.post<{ Body: string }>('/', async request => {
  const output = await plugin.call('say_hello', request.body)
  return output.toString()
})

fastify.setErrorHandler((error, request, reply) => {
  request.log.error(error)
  const code = error instanceof ExtismError ? error.code : undefined
  return reply.code(code === 'ERR_EXTISM_TIMEOUT' ? 504 : 500).send({ code })
})

try {
  await fastify.listen({ port: 7070, host: '0.0.0.0' })
  console.log('😄 started')
} catch (error) {
  fastify.log.error(error)
  process.exit(1)
}
