// Requests a second, of a server process for each contender; the load is made in this one.

import assert from 'node:assert/strict'
import autocannon from 'autocannon'
import { startChild } from './children/child.js'
import { ANSWER, NAME } from './greeter.js'
import { OURS, OURS_JS } from './ours.js'
import { ALL, FOREGROUND } from './peers.js'
import { atLeast, best, inTurn, ratios, row } from './stats.js'

const PLAIN = 'Fastify alone'
const CONNECTIONS = 32

const REQUEST = {
  method: 'POST',
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: NAME
}

export async function run ({ http: { rounds, saidRounds, seconds } }) {
  const servers = {}
  const measure = (names, rounds, connections, path) => inTurns(servers, names, { rounds, seconds, connections, path })
  const few = [OURS, OURS_JS, ...FOREGROUND, PLAIN]
  try {
    for (const name of [OURS, OURS_JS, ...ALL, PLAIN]) {
      servers[name] = await startChild('server.js', [name])
      for (const path of ['/', '/twice']) {
        await check(name, servers[name].message, path)
        await load(servers[name].message, { seconds: seconds / 2, connections: CONNECTIONS, path })
      }
    }
    return [
      ...rows(await measure(Object.keys(servers), rounds, CONNECTIONS, '/')),
      row('http-twice', `HTTP, two calls in a row for a request, ${CONNECTIONS} connections`, 'requests/s', 'higher',
        await measure(few, saidRounds, CONNECTIONS, '/twice')),
      row('http-one', 'HTTP, 1 connection', 'requests/s', 'higher', await measure(few, saidRounds, 1, '/'))
    ]
  } finally {
    for (const server of Object.values(servers)) await server.end()
  }
}

/** The addon's two servers in a row each, beside the same peers. */
function rows ({ [OURS]: rust, [OURS_JS]: javascript, ...others }) {
  const peer = best('higher', others, ALL)
  const plain = others[PLAIN]
  return [
    row('http-javascript', `HTTP, host function in JavaScript, ${CONNECTIONS} connections`, 'requests/s', 'higher', {
      [OURS]: javascript,
      ...others
    }, [
      atLeast(1.8, '×', 'HTTP, host function in JavaScript, of the faster peer', ratios(javascript, peer)),
      atLeast(0.9, '×', 'HTTP, host function in JavaScript, of Fastify alone', ratios(javascript, plain))
    ]),
    row('http', `HTTP, \`memoryGet\`, ${CONNECTIONS} connections`, 'requests/s', 'higher', {
      [OURS]: rust,
      ...others
    }, [
      atLeast(2.2, '×', 'HTTP, `memoryGet`, of the faster peer', ratios(rust, peer)),
      atLeast(1, '×', 'HTTP, `memoryGet`, of Fastify alone', ratios(rust, plain))
    ])
  ]
}

/** Loads the servers in turns: their requests a second, by name. */
async function inTurns (servers, names, { rounds, ...how }) {
  const rates = Object.fromEntries(names.map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of inTurn(names, round)) rates[name].push(await load(servers[name].message, how))
  }
  return rates
}

async function check (name, port, path) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, REQUEST)
  assert.ok(await response.text() === ANSWER, `the server with ${name} answers wrongly`)
}

async function load (port, { seconds, connections, path }) {
  const result = await autocannon({
    ...REQUEST,
    url: `http://127.0.0.1:${port}${path}`,
    connections,
    duration: seconds
  })
  assert.equal(result.errors + result.non2xx, 0, 'requests failed')
  return result['2xx'] / result.duration
}
