// HTTP of plugins, through a server of our own.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { SENDERS } from '../guests.js'
import { MAKERS, filled, make } from '../subject.js'

export async function open ({ random, book, settings }) {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${server.address().port}`
  const all = allowedHosts => Promise.all(MAKERS.map(maker =>
    make(maker, random.pick(SENDERS), { allowedHosts, instances: 2, ...settings })))
  const [senders, confined] = await Promise.all([all(['127.0.0.1']), all(['elsewhere'])])
  await filled([...senders, ...confined], 'echo')

  const input = (path, method = 'POST') => JSON.stringify({ url: base + path, method })
  /** An error of the host's part in it has one of ours around it in the legacy API. */
  const wrapped = subject => [subject.isLegacy ? 'ERR_EXTISM_HOST_FUNCTION' : 'ERR_EXTISM_HTTP']

  return {
    operations: {
      request: name => {
        const path = `/${random.below(1e9)}`
        return book(name, random.pick(senders).call('post', input(path)), { gives: output => String(output) === `${path} the body` })
      },
      'large answer': name => {
        const length = random.between(1, 200_000)
        return book(name, random.pick(senders).call('post', input(`/length/${length}`)), { gives: output => output.length === length })
      },
      'not allowed': name => {
        const subject = random.pick(confined)
        return book(name, subject.call('post', input('/')), { codes: wrapped(subject) })
      },
      timeout: name => book(name, random.pick(senders).call('post', input('/silent'), { timeoutMs: 20 }), { codes: ['ERR_EXTISM_TIMEOUT'] }),
      aborted: name => book(name, random.pick(senders).call('post', input('/silent'), { signal: AbortSignal.timeout(20) }), { codes: ['ABORT_ERR'] }),
      'broken connection': name => {
        const subject = random.pick(senders)
        // What fetch fails with has no code of its own.
        return book(name, subject.call('post', input('/broken')), { codes: subject.isLegacy ? ['ERR_EXTISM_HOST_FUNCTION'] : ['TypeError'] })
      }
    },
    async close () {
      await Promise.all([...senders, ...confined].map(subject => subject.close()))
      server.closeAllConnections()
      server.close()
    }
  }
}

async function answer (request, response) {
  const [, what, length] = request.url.split('/')
  if (what === 'silent') return
  if (what === 'broken') return request.socket.destroy()
  if (what === 'length') return response.end(Buffer.alloc(Number(length)))
  try {
    response.end(`${request.url} ${Buffer.concat(await request.toArray())}`)
  } catch {
    // The plugin was stopped before it had sent all.
  }
}
