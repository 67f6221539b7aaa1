import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createPlugin } from '../../index.js'
import { guest } from '../helpers.js'
import { made, serving, textOf } from './making.js'

const ENV = 'extism:host/env'

/** Requests what the input says: `get`, `post` and `twice`; `status` and `headers` tell of the response. */
const CODE = guest(`
  (data (i32.const 0) "the body")
  (func $request (result i64) (call $http_request (call $input) (i64.const 0)))
  (func (export "get") (call $give (call $request)))
  (func (export "post") (call $give (call $http_request (call $input) (call $put (i32.const 0) (i32.const 8)))))
  (func (export "zero") (if (i64.eqz (call $request)) (then (call $give (call $put (i32.const 0) (i32.const 3))))))
  (func (export "status") (local $block i64)
    (drop (call $request))
    (local.set $block (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $block) (i64.extend_i32_u (call $status)))
    (call $give (local.get $block)))
  (func (export "before") (local $block i64)
    (local.set $block (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $block) (i64.extend_i32_u (call $status)))
    (call $give (local.get $block)))
  (func (export "headers") (local $headers i64)
    (drop (call $request))
    (local.set $headers (call $headers))
    (if (i64.ne (local.get $headers) (i64.const 0)) (then (call $give (local.get $headers)))))
  (func (export "echo") (call $give (call $input)))`, {
  user: `
    (import "${ENV}" "http_request" (func $http_request (param i64 i64) (result i64)))
    (import "${ENV}" "http_status_code" (func $status (result i32)))
    (import "${ENV}" "http_headers" (func $headers (result i64)))`
})

const ANYWHERE = { allowedHosts: ['*'] }
const requesting = (t, options = ANYWHERE) => made(t, CODE, options)
const number = async output => (await output).getInt32(0, true)

/** Tells what was asked of it, or answers as the path says. */
function answer (t) {
  return serving(t, async (request, response) => {
    const [, what, argument] = request.url.split('/')
    if (what === 'status') response.statusCode = Number(argument)
    if (what === 'header') response.setHeader('X-Given', argument)
    if (what === 'length') return response.end('x'.repeat(Number(argument)))
    if (what === 'moved') return response.writeHead(302, { location: `http://localhost:${request.socket.localPort}/` }).end()
    if (what === 'silent') return
    const chunks = await request.toArray()
    response.end(`${request.method} ${request.headers['x-name'] ?? '-'} ${Buffer.concat(chunks)}`)
  })
}

describe('allowedHosts', () => {
  test('has host names and patterns, and opens these without runInWorker, and with it', async t => {
    const url = await answer(t)
    for (const allowedHosts of [['127.0.0.1'], ['*'], ['other', '127.*'], ['127.0.0.?'], ['*.0.1']]) {
      for (const runInWorker of [false, true]) {
        const plugin = await requesting(t, { allowedHosts, runInWorker })
        assert.equal(await textOf(plugin.call('get', JSON.stringify({ url }))), 'GET - ')
      }
    }
  })

  test('has the patterns of minimatch', async t => {
    const url = await answer(t)
    for (const pattern of ['{127.0.0.1,localhost}', '127.0.0.[0-9]', '12[5-8].0.0.1']) {
      const plugin = await requesting(t, { allowedHosts: [pattern] })
      assert.equal(await textOf(plugin.call('get', JSON.stringify({ url }))), 'GET - ')
    }
  })

  test('comes from the manifest, too, in either spelling', async t => {
    const input = JSON.stringify({ url: await answer(t) })
    for (const name of ['allowedHosts', 'allowed_hosts']) {
      const manifest = { wasm: [{ data: CODE.toString('base64') }], [name]: ['127.0.0.1'] }
      for (const form of [manifest, JSON.stringify(manifest)]) assert.equal(await textOf((await made(t, form)).call('get', input)), 'GET - ')
      const closed = await made(t, manifest, { allowedHosts: [] })
      await assert.rejects(closed.call('get', input), /not allowed/)
    }
  })

  test('is empty by default: any other host fails the call in these words', async t => {
    const never = async () => assert.fail('it was asked')
    for (const allowedHosts of [undefined, [], ['localhost'], ['127.0.0'], ['27.0.0.1'], ['127x0x0x1']]) {
      const plugin = await requesting(t, { allowedHosts, fetch: never })
      await assert.rejects(plugin.call('get', '{"url":"http://127.0.0.1:1/path"}'), {
        message: 'Call error: HTTP request to "http://127.0.0.1:1/path" is not allowed (no allowedHosts match "127.0.0.1")'
      })
    }
  })

  test('holds for redirects, too', async t => {
    const url = await answer(t)
    const plugin = await requesting(t, { allowedHosts: ['127.0.0.1'] })
    await assert.rejects(plugin.call('get', JSON.stringify({ url: `${url}/moved` })), /no allowedHosts match "localhost"/)
  })

  test('that is none is refused', async () => {
    for (const allowedHosts of ['127.0.0.1', {}, [5], 5]) await assert.rejects(createPlugin(CODE, { allowedHosts }), { name: 'TypeError' })
  })
})

describe('a request', () => {
  test('has its method in capitals, its headers under either name, and its body unless it is a GET or HEAD', async t => {
    const url = await answer(t)
    const plugin = await requesting(t)
    const post = request => textOf(plugin.call('post', JSON.stringify({ url, ...request })))
    assert.equal(await post({ method: 'post', headers: { 'X-Name': 'a' } }), 'POST a the body')
    assert.equal(await post({ method: 'PUT', header: { 'x-name': 'b' } }), 'PUT b the body')
    assert.equal(await post({}), 'GET - ')
    assert.equal(await post({ method: 'head' }), '')
    assert.equal(await textOf(plugin.call('get', JSON.stringify({ url, method: 'POST' }))), 'POST - ')
  })

  test('goes through the fetch of the options', async t => {
    const asked = []
    const fetch = async (url, { method, headers, body }) => {
      asked.push([url, method, new Headers(headers).get('x-name'), body && String(Buffer.from(body))])
      return new Response('fetched')
    }
    const plugin = await requesting(t, { ...ANYWHERE, fetch })
    assert.equal(await textOf(plugin.call('post', '{"url":"http://a.invalid/","method":"post","headers":{"X-Name":"n"}}')), 'fetched')
    assert.deepEqual(asked, [['http://a.invalid/', 'POST', 'n', 'the body']])
  })

  test('that fails rejects the call with the very same error', async t => {
    const failure = new TypeError('fetch failed')
    const plugin = await requesting(t, { ...ANYWHERE, fetch: async () => { throw failure } })
    await assert.rejects(plugin.call('get', '{"url":"http://a.invalid/"}'), error => error === failure)
    assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
  })

  test('that is none fails the call', async t => {
    const plugin = await requesting(t)
    for (const bad of ['', '{', '{}', '{"url":5}', '{"url":"nonsense"}', '{"url":"file:///etc/hostname"}']) await assert.rejects(plugin.call('get', bad), Error)
  })

  test('ends with the call', async t => {
    const url = await answer(t)
    const plugin = await requesting(t)
    let aborted
    const silent = await requesting(t, { ...ANYWHERE, fetch: (url, { signal }) => new Promise(() => { aborted = signal }) })
    await assert.rejects(plugin.call('get', JSON.stringify({ url: `${url}/silent` }), null, { timeoutMs: 100 }), { code: 'ERR_EXTISM_TIMEOUT' })
    await assert.rejects(silent.call('get', '{"url":"http://a.invalid/"}', null, { timeoutMs: 100 }), { code: 'ERR_EXTISM_TIMEOUT' })
    if (!aborted.aborted) await new Promise(resolve => aborted.addEventListener('abort', resolve))
  })

  test('is not for callSync', async t => {
    const plugin = await requesting(t)
    assert.throws(() => plugin.callSync('get', '{"url":"http://a.invalid/"}'), { code: 'ERR_EXTISM_ASYNC' })
  })
})

describe('a response', () => {
  test('has a status, which is 0 before', async t => {
    const url = await answer(t)
    const plugin = await requesting(t)
    assert.equal(await number(plugin.call('before')), 0)
    for (const status of [200, 404, 500]) assert.equal(await number(plugin.call('status', JSON.stringify({ url: `${url}/status/${status}` }))), status)
  })

  test('has headers, in lower case, with allowHttpResponseHeaders only', async t => {
    const input = JSON.stringify({ url: `${await answer(t)}/header/given` })
    const plugin = await requesting(t, { ...ANYWHERE, allowHttpResponseHeaders: true })
    assert.equal((await plugin.call('headers', input)).json()['x-given'], 'given')
    assert.equal(await (await requesting(t)).call('headers', input), null)
  })

  test('of more than memory.maxHttpResponseBytes is 0 to the plugin, and an error in the log', async t => {
    const url = await answer(t)
    const logged = []
    const options = { ...ANYWHERE, memory: { maxHttpResponseBytes: 100 }, logLevel: 'error', logger: { error: text => logged.push(text) } }
    const plugin = await requesting(t, options)
    assert.equal((await plugin.call('get', JSON.stringify({ url: `${url}/length/50` }))).byteLength, 50)
    assert.deepEqual(logged, [])
    assert.equal(await textOf(plugin.call('zero', JSON.stringify({ url: `${url}/length/101` }))), 'the')
    assert.deepEqual(logged, ['Response body exceeded 100 bytes'])
  })
})
