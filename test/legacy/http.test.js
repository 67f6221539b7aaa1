import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Plugin } from '../../index.js'
import { ERAS, guest } from '../helpers.js'

/** `get` and `post` request what the input says, `status` gives the status code as return code. */
function requesting (manifest, era = 'modern') {
  const { env, prefix } = ERAS[era]
  const data = guest(`
    (data (i32.const 0) "the body")
    (func (export "get") (call $give (call $http_request (call $input) (i64.const 0))))
    (func (export "post") (call $give (call $http_request (call $input) (call $put (i32.const 0) (i32.const 8)))))
    (func (export "status") (result i32)
      (drop (call $http_request (call $input) (i64.const 0)))
      (call $http_status_code))`, {
    era,
    user: `
      (import "${env}" "${prefix}http_request" (func $http_request (param i64 i64) (result i64)))
      (import "${env}" "${prefix}http_status_code" (func $http_status_code (result i32)))`
  })
  return new Plugin({ wasm: [{ data }], ...manifest })
}

describe('manifest: allowed_hosts', () => {
  let server, base, seen
  before(async () => {
    server = createServer(async (request, response) => {
      seen.push(`${request.method} ${request.url}`)
      const { port } = server.address()
      if (request.url === '/away') return response.writeHead(302, { location: `http://localhost:${port}/secret` }).end()
      if (request.url === '/moved') return response.writeHead(302, { location: '/hello' }).end()
      if (request.url === '/silent') return
      if (request.url === '/absent') response.statusCode = 404
      const chunks = await request.toArray()
      response.end(`${request.method} ${request.headers['x-name'] ?? ''} ${Buffer.concat(chunks)}`)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    base = `http://127.0.0.1:${server.address().port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  async function request (name, path, manifest, { era, ...options } = {}) {
    seen = []
    const plugin = requesting(manifest, era)
    try {
      return (await plugin.call(name, JSON.stringify({ url: base + path, ...options }))).toString()
    } finally {
      plugin.free()
    }
  }
  const REFUSED = { name: 'ExtismError', code: /^ERR_EXTISM_/, message: /^Plugin error: .*not allowed/ }

  for (const era of Object.keys(ERAS)) {
    test(`opens a host to a plugin of the ${era} era`, async () => {
      for (const allowed of [['127.0.0.1'], ['*'], ['other', '127.*']]) {
        assert.equal(await request('get', '/hello', { allowed_hosts: allowed }, { era }), 'GET  ')
        assert.equal(await request('get', '/hello', { allowedHosts: allowed }, { era }), 'GET  ')
      }
    })

    test(`is closed by default, and to other hosts, for a plugin of the ${era} era`, async () => {
      for (const allowed of [undefined, [], ['localhost'], ['127.0.0'], ['27.0.0.1'], ['127.0.0.11'], ['127x0x0x1']]) {
        await assert.rejects(request('get', '/hello', { allowed_hosts: allowed }, { era }), REFUSED)
        assert.deepEqual(seen, [])
      }
    })
  }

  const allowed = { allowed_hosts: ['127.0.0.1'] }

  test('method, headers and body arrive', async () => {
    assert.equal(await request('post', '/', allowed, { method: 'POST', headers: { 'X-Name': 'header' } }), 'POST header the body')
    assert.equal(await request('post', '/', allowed, { method: 'PUT' }), 'PUT  the body')
  })

  test('the status code can be read', async () => {
    await assert.rejects(request('status', '/hello', allowed), { exitCode: 200 })
    await assert.rejects(request('status', '/absent', allowed), { exitCode: 404 })
  })

  test('holds for redirects, too', async () => {
    assert.equal(await request('get', '/moved', allowed), 'GET  ')
    await assert.rejects(request('get', '/away', allowed), /not allowed/)
    assert.deepEqual(seen, ['GET /away'])
  })

  test('a server that says nothing ends in the timeout of the call', async () => {
    await assert.rejects(request('get', '/silent', { ...allowed, timeout_ms: 100 }), { code: 'ERR_EXTISM_TIMEOUT' })
    assert.deepEqual(seen, ['GET /silent'])
  })

  test('what is no request fails the call, and the plugin goes on', async () => {
    const plugin = requesting(allowed)
    for (const bad of ['', '{', '{}', '{"url":5}', '{"url":"nonsense"}', '{"url":"file:///etc/hostname"}', `{"url":"${base}","method":5}`, `{"url":"${base}","headers":{"a b":"c"}}`]) {
      await assert.rejects(plugin.call('get', bad), { name: 'ExtismError', message: /^Plugin error: / })
    }
    assert.equal((await plugin.call('get', JSON.stringify({ url: base + '/hello' }))).toString(), 'GET  ')
    plugin.free()
  })

  test('that is none is refused, by name', () => {
    for (const bad of ['127.0.0.1', {}, [5], 5]) assert.throws(() => requesting({ allowed_hosts: bad }), { name: 'TypeError', message: /allowed_hosts/ })
  })
})
