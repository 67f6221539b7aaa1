// server.js without its log, for a contender: `server.js NAME` sends its port.

import Fastify from 'fastify'
import { GREETER, MESSAGES } from '../greeter.js'
import { OURS, openOurs } from '../ours.js'
import { PEERS, openPeer } from '../peers.js'

const [name] = process.argv.slice(2)

const messages = new Map(MESSAGES)
const greet = input => [
  `👋 Hello ${input}`,
  ...['hello', 'message'].map(key => `key: ${key}, value: ${messages.get(key)}`)
].join('\n')

/** What the server does where there is no plugin at all. */
const plain = { call: async (name, input) => greet(input), close () {} }

const plugin = name === OURS ? openOurs(GREETER) : name in PEERS ? await openPeer(name, GREETER) : plain

const fastify = Fastify()

fastify.removeAllContentTypeParsers()
// A small Buffer is a part of a larger one, which 1.0.3 would take as a whole.
fastify.addContentTypeParser('*', { parseAs: name === OURS ? 'buffer' : 'string' }, (request, body, done) => done(null, body))

fastify.post('/', async (request, reply) => {
  const output = await plugin.call('say_hello', request.body)
  return reply.type('text/plain; charset=utf-8').send(output)
})

await fastify.listen({ port: 0, host: '127.0.0.1' })
process.send(fastify.server.address().port)

process.once('disconnect', async () => {
  await fastify.close()
  await plugin.close()
})
