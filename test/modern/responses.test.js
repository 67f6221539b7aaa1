import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { createPlugin } from '../../index.js'
import { guest } from '../helpers.js'
import { made, said, saying, textOf } from './making.js'

const ENV = 'extism:host/env'
const CODE = guest(`
  (func $request (result i64) (call $http_request (call $input) (i64.const 0)))
  (func $giveAny (param $block i64)
    (if (i64.ne (local.get $block) (i64.const 0)) (then (call $give (local.get $block)))))
  (func (export "get") (call $giveAny (call $request)))
  (func (export "headers") (drop (call $request)) (call $giveAny (call $headers)))
  (func (export "status") (local $block i64)
    (drop (call $request))
    (local.set $block (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $block) (i64.extend_i32_u (call $status)))
    (call $give (local.get $block)))`, {
  user: `
    (import "${ENV}" "http_request" (func $http_request (param i64 i64) (result i64)))
    (import "${ENV}" "http_status_code" (func $status (result i32)))
    (import "${ENV}" "http_headers" (func $headers (result i64)))`
})

const INPUT = '{"url":"http://a.invalid/"}'

/** A plugin whose requests are answered with what `respond` gives. */
const answered = (t, respond, options) => made(t, CODE, { allowedHosts: ['a.invalid', 'b.invalid'], fetch: async url => respond(url), ...options })

/** The same bytes in the bodies that wrappers of fetch and test doubles have. */
const bodies = bytes => ({
  'a stream of the web': () => ({ body: new Response(bytes).body }),
  'a stream of Node.js': () => ({ body: Readable.from([Buffer.from(bytes)]) }),
  'a stream of text': () => ({ body: Readable.from([Buffer.from(bytes).toString()]) }),
  'an iterator of views': () => ({ body: (async function * () { for (const byte of bytes) yield new DataView(Uint8Array.of(0, byte).buffer, 1) })() }),
  'arrayBuffer()': () => ({ arrayBuffer: async () => new Uint8Array(bytes).buffer }),
  'arrayBuffer() and a body of null': () => ({ body: null, arrayBuffer: async () => new Uint8Array(bytes).buffer }),
  'arrayBuffer() and a body that is no stream': () => ({ body: {}, arrayBuffer: async () => new Uint8Array(bytes).buffer }),
  'arrayBuffer() that gives a Buffer': () => ({ arrayBuffer: () => Buffer.from(bytes) })
})

const NOTHING = {
  'no body at all': () => ({}),
  'a body that is no stream': () => ({ body: {} }),
  'a stream of numbers': () => ({ body: Readable.from([1, 2]) }),
  'arrayBuffer() that gives none': () => ({ arrayBuffer: async () => undefined })
}

describe('a response of the option fetch', () => {
  for (const [form, respond] of Object.entries(bodies(Buffer.from('the body')))) {
    test(`reaches the plugin if its body is ${form}`, async t => {
      const plugin = await answered(t, () => ({ ok: true, status: 200, ...respond() }))
      assert.equal(await textOf(plugin.call('get', INPUT)), 'the body')
    })

    test(`is limited to maxHttpResponseBytes if its body is ${form}`, async t => {
      const lines = []
      const options = { memory: { maxHttpResponseBytes: 7 }, logLevel: 'error', logger: { error: line => lines.push(line) } }
      const plugin = await answered(t, () => ({ status: 200, ...respond() }), options)
      assert.equal(await plugin.call('get', INPUT), null)
      assert.deepEqual(lines, ['Response body exceeded 7 bytes'])
    })
  }

  for (const [form, respond] of Object.entries(NOTHING)) {
    test(`fails the call instead of being empty, with ${form}`, async t => {
      const plugin = await answered(t, () => ({ status: 200, ...respond() }))
      await assert.rejects(plugin.call('get', INPUT), { name: 'ExtismError', code: 'ERR_EXTISM_HTTP', message: /response of fetch/ })
    })
  }

  test('with a body of null is empty', async t => {
    const plugin = await answered(t, () => ({ status: 204, body: null }))
    assert.equal((await plugin.call('status', INPUT)).getUint32(0, true), 204)
  })

  test('that is not an object fails the call', async t => {
    for (const response of [undefined, null, 'text']) {
      const plugin = await answered(t, () => response)
      await assert.rejects(plugin.call('get', INPUT), { code: 'ERR_EXTISM_HTTP', message: /not a response/ })
    }
  })

  test('may have headers in any form, or none', async t => {
    const body = { status: 200, arrayBuffer: async () => new ArrayBuffer(0) }
    for (const [headers, expected] of [[{ 'X-Given': 'a' }, { 'x-given': 'a' }], [new Map([['x-given', 'a']]), { 'x-given': 'a' }], [new Headers({ 'x-given': 'a' }), { 'x-given': 'a' }], [null, {}], [undefined, {}]]) {
      const plugin = await answered(t, () => ({ ...body, headers }), { allowHttpResponseHeaders: true })
      assert.deepEqual((await plugin.call('headers', INPUT)).json(), expected)
    }
  })

  test('that redirects is followed, and its body is cancelled, whatever kind of stream it is', async t => {
    const ended = []
    const streams = {
      'of the web': new ReadableStream({ cancel () { ended.push('of the web') } }),
      'of Node.js': new Readable({ read () {}, destroy (error, done) { ended.push('of Node.js'); done(error) } }),
      none: undefined
    }
    for (const body of Object.values(streams)) {
      const plugin = await answered(t, url => url.includes('b.invalid') ? new Response('there') : { status: 302, headers: { Location: 'http://b.invalid/' }, body })
      assert.equal(await textOf(plugin.call('get', INPUT)), 'there')
    }
    assert.deepEqual(ended, ['of the web', 'of Node.js'])
  })
})

describe('a download by the option fetch', () => {
  const HELLO = saying('hello')
  const download = respond => said({ wasm: [{ url: 'https://a.invalid/x.wasm' }] }, { fetch: async () => respond() })

  for (const [form, respond] of Object.entries(bodies(HELLO))) {
    test(`gives a module if the body of the response is ${form}`, async () => {
      assert.equal(await download(() => ({ ok: true, status: 200, ...respond() })), 'hello')
      assert.equal(await said('https://a.invalid/x', { fetch: async () => respond() }), 'hello')
    })
  }

  for (const [form, respond] of Object.entries(NOTHING)) {
    test(`rejects if the response has ${form}`, async () => {
      await assert.rejects(download(() => ({ ok: true, ...respond() })), { code: 'ERR_EXTISM_MANIFEST', message: /response of fetch/ })
    })
  }

  test('gives a manifest if the headers, in any form, say JSON', async () => {
    const manifest = JSON.stringify({ wasm: [{ data: HELLO.toString('base64') }] })
    for (const headers of [{ 'Content-Type': 'application/json' }, new Map([['content-type', 'text/json; charset=utf-8']])]) {
      assert.equal(await said('https://a.invalid/x', { fetch: async () => ({ headers, arrayBuffer: () => Buffer.from(manifest) }) }), 'hello')
    }
  })

  test('rejects if the status is not a success, with or without the property ok', async () => {
    for (const answer of [{ ok: false, status: 404 }, { status: 404 }, { status: 304 }]) {
      const fetch = async () => ({ ...answer, arrayBuffer: async () => HELLO })
      await assert.rejects(createPlugin('https://a.invalid/x', { fetch }), { code: 'ERR_EXTISM_MANIFEST', message: `the server answered ${answer.status}` })
    }
  })
})
