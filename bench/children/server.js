// server.js without its log, for a contender: `server.js NAME` sends its port. A request to /
// makes one call, one to /twice two in a row.

import Fastify from 'fastify'
import { GREETER, MESSAGES } from '../greeter.js'
import { OURS, OURS_JS, mapFunction, openOurs } from '../ours.js'
import { PEERS, openPeer } from '../peers.js'

const [name] = process.argv.slice(2)

const messages = new Map(MESSAGES)
const greet = input => [
  `👋 Hello ${input}`,
  ...['hello', 'message'].map(key => `key: ${key}, value: ${messages.get(key)}`)
].join('\n')

/** What the server does where there is no plugin at all. */
const plain = { call: async (name, input) => greet(input), close () {} }

async function open () {
  if (name === OURS) return openOurs(GREETER)
  if (name === OURS_JS) return openOurs(GREETER, { functions: [mapFunction()] })
  return name in PEERS ? await openPeer(name, GREETER) : plain
}

const plugin = await open()
const fastify = Fastify()

fastify.removeAllContentTypeParsers()
// A small Buffer is a part of a larger one, which 1.0.3 would take as a whole.
const parseAs = name.startsWith(OURS) ? 'buffer' : 'string'
fastify.addContentTypeParser('*', { parseAs }, (request, body, done) => done(null, body))

fastify.post('/', async (request, reply) => {
  const output = await plugin.call('say_hello', request.body)
  return reply.type('text/plain; charset=utf-8').send(output)
})

fastify.post('/twice', async (request, reply) => {
  await plugin.call('say_hello', request.body)
  const output = await plugin.call('say_hello', request.body)
  return reply.type('text/plain; charset=utf-8').send(output)
})

await fastify.listen({ port: 0, host: '127.0.0.1' })
process.send(fastify.server.address().port)

process.once('disconnect', async () => {
  await fastify.close()
  await plugin.close()
})
