// Requests a second, of a server process for each contender; the load is made in this one.

import assert from 'node:assert/strict'
import autocannon from 'autocannon'
import { startChild } from './children/child.js'
import { ANSWER, NAME } from './greeter.js'
import { OURS } from './ours.js'
import { ALL } from './peers.js'
import { atLeast, best, inTurn, ratios, row } from './stats.js'

const PLAIN = 'Fastify alone'
const CONNECTIONS = 32

const REQUEST = {
  method: 'POST',
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: NAME
}

export async function run ({ http: { rounds, seconds } }) {
  const names = [OURS, ...ALL, PLAIN]
  const servers = {}
  const rates = Object.fromEntries(names.map(name => [name, []]))
  try {
    for (const name of names) {
      servers[name] = await startChild('server.js', [name])
      await check(name, servers[name].message)
      await load(servers[name].message, seconds)
    }
    for (let round = 0; round < rounds; round++) {
      for (const name of inTurn(names, round)) {
        rates[name].push(await load(servers[name].message, seconds))
      }
    }
  } finally {
    for (const server of Object.values(servers)) await server.end()
  }
  const of = version => best('higher', rates, [version, `${version} worker`])
  return [
    row('http', `HTTP, ${CONNECTIONS} connections`, 'requests/s', 'higher', rates, [
      atLeast(2.5, '×', 'HTTP, of 1.0.3', ratios(rates[OURS], of('1.0.3'))),
      atLeast(2.2, '×', 'HTTP, of 2.0.0-rc13', ratios(rates[OURS], of('2.0.0-rc13'))),
      atLeast(0.75, '×', 'HTTP, of Fastify alone', ratios(rates[OURS], rates[PLAIN]))
    ])
  ]
}

async function check (name, port) {
  const response = await fetch(`http://127.0.0.1:${port}`, REQUEST)
  assert.ok(await response.text() === ANSWER, `the server with ${name} answers wrongly`)
}

async function load (port, seconds) {
  const result = await autocannon({
    ...REQUEST,
    url: `http://127.0.0.1:${port}`,
    connections: CONNECTIONS,
    duration: seconds
  })
  assert.equal(result.errors + result.non2xx, 0, 'requests failed')
  return result['2xx'] / result.duration
}
