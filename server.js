// Answers each POST with what a function of a plugin makes of its body. The plugin reads
// messages from a store that is filled here.

import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { Context, Store, memoryGet } from 'extism-napi'

const PORT = process.env.PORT || '7070'
const HOST = process.env.HOST || '0.0.0.0'
const WASM_FILE = process.env.WASM_FILE || new URL('plugin/simple.wasm', import.meta.url)
const FUNCTION = process.env.FUNCTION || 'say_hello'
/** How long requests in flight may take once the server is to end, in milliseconds. */
const GRACE_MS = 10_000

const store = new Store([
  ['hello', '👋 Hello World 🌍'],
  ['message', 'I 💜 Extism 😍']
])

const context = new Context()
const plugin = context.plugin(readFileSync(WASM_FILE), true, [
  memoryGet('hostMemoryGet', store)
])

if (!plugin.functionExists(FUNCTION)) {
  console.error(`${WASM_FILE} has no function "${FUNCTION}" that can be called`)
  process.exit(1)
}

const fastify = Fastify({ logger: true })

// Whatever the content type says, the plugin gets the bytes.
fastify.addHook('onRequest', async request => {
  request.raw.headers['content-type'] = 'application/octet-stream'
})
fastify.removeAllContentTypeParsers()
fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => done(null, body))

fastify.post('/', async (request, reply) => {
  const output = await plugin.call(FUNCTION, request.body ?? '')
  return reply.type('text/plain; charset=utf-8').send(output)
})

fastify.setErrorHandler((error, request, reply) => {
  const status = error.code === 'ERR_EXTISM_TIMEOUT' ? 504 : error.statusCode ?? 500
  if (status >= 500) request.log.error(error)
  return reply.code(status).send({ code: error.code, message: error.message })
})

let closing = false

// A connection that stays open after its last answer would keep the server from ending.
fastify.addHook('onSend', async (request, reply) => {
  if (closing) reply.header('connection', 'close')
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    closing = true
    setTimeout(() => fastify.server.closeAllConnections(), GRACE_MS).unref()
    await fastify.close()
    // Whose clients are gone.
    plugin.cancelHandle().cancel()
    context.free()
  })
}

try {
  await fastify.listen({ port: Number(PORT), host: HOST })
} catch (error) {
  fastify.log.error(error)
  process.exitCode = 1
}
