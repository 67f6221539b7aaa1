import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { createPlugin } from '../../index.js'
import { CODE, directory, made, said, saying, serving, textOf } from './making.js'
import { wat } from '../helpers.js'

const HELLO = saying('hello')
const sha256 = data => createHash('sha256').update(data).digest('hex')
const json = { wasm: [{ data: HELLO.toString('base64') }] }

/** Fails with this message, and as this class where it is not an Error like any other. */
async function refused (manifest, message, name = 'ExtismError') {
  await assert.rejects(createPlugin(manifest), { name, message, code: 'ERR_EXTISM_MANIFEST' })
}

describe('createPlugin(manifest)', () => {
  const FORMS = {
    'a Buffer': HELLO,
    'a Uint8Array': new Uint8Array(HELLO),
    'a part of an ArrayBuffer': new Uint8Array(Buffer.concat([Buffer.from('xx'), HELLO])).subarray(2),
    'an ArrayBuffer': new Uint8Array(HELLO).buffer,
    'a DataView': new DataView(new Uint8Array(HELLO).buffer),
    'an object with data': { wasm: [{ data: new Uint8Array(HELLO) }] },
    'a manifest in JSON': JSON.stringify(json),
    'a manifest in JSON after white space': ` \n\t${JSON.stringify(json)}`,
    'a promise of a manifest': Promise.resolve(json),
    'a Response of a module': () => new Response(HELLO),
    'a Response of application/wasm': () => new Response(HELLO, { headers: { 'content-type': 'application/wasm' } }),
    'a Response of application/json': () => new Response(JSON.stringify(json), { headers: { 'content-type': 'application/json; charset=utf-8' } }),
    'a Response of text/json': () => new Response(JSON.stringify(json), { headers: { 'content-type': 'text/json' } }),
    'a promise of a Response': () => Promise.resolve(new Response(HELLO)),
    'an object with a response': () => ({ wasm: [{ response: new Response(HELLO) }] }),
    'an object with a promise of a response': () => ({ wasm: [{ response: Promise.resolve(new Response(HELLO)) }] })
  }
  for (const [form, manifest] of Object.entries(FORMS)) {
    test(`takes ${form}`, async () => {
      assert.equal(await said(typeof manifest === 'function' ? manifest() : manifest), 'hello')
    })
  }

  test('takes a file, as a path, a file: URL or the text of one', async t => {
    const file = path.join(directory(t), 'a b.wasm')
    writeFileSync(file, HELLO)
    const url = pathToFileURL(file)
    for (const form of [file, url, url.href, { wasm: [{ path: file }] }, { wasm: [{ url }] }, { wasm: [{ url: url.href }] }]) {
      assert.equal(await said(form), 'hello')
    }
    await assert.rejects(createPlugin(`${file}.absent`), { code: 'ENOENT', message: /^ENOENT: no such file or directory, open '/ })
  })

  test('takes a URL or the text of one, of a module or of JSON, by way of redirects', async t => {
    const base = await serving(t, (request, response) => {
      if (request.url === '/moved') return response.writeHead(302, { location: '/module' }).end()
      if (request.url === '/module') return response.end(HELLO)
      if (request.url === '/json') return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ wasm: [{ url: `${base}/module` }] }))
      response.writeHead(404).end()
    })
    for (const place of ['module', 'moved', 'json']) {
      assert.equal(await said(`${base}/${place}`), 'hello')
      assert.equal(await said(new URL(`${base}/${place}`)), 'hello')
    }
    assert.equal(await said({ wasm: [{ url: `${base}/moved` }] }), 'hello')
    await assert.rejects(createPlugin(`${base}/absent`), /404/)
    await assert.rejects(createPlugin({ wasm: [{ url: `${base}/absent` }] }), /404/)
  })

  test('gives up on a download that takes too long, at whichever byte', async t => {
    const limits = []
    t.mock.method(AbortSignal, 'timeout', ms => {
      const controller = new AbortController()
      limits.push({ ms, expire: () => controller.abort(new DOMException('late', 'TimeoutError')) })
      return controller.signal
    })
    const slow = await serving(t, (request, response) => {
      if (request.url === '/body') response.writeHead(200, { 'content-type': 'application/wasm' }).write('x')
      setImmediate(() => limits.at(-1).expire())
    })
    for (const manifest of [`${slow}/head`, `${slow}/body`, { wasm: [{ url: `${slow}/head` }] }, { wasm: [{ url: `${slow}/body` }] }]) {
      await assert.rejects(createPlugin(manifest), { code: 'ERR_EXTISM_MANIFEST', message: /longer than 60 s/ })
    }
    assert.deepEqual(limits.map(({ ms }) => ms), [60_000, 60_000, 60_000, 60_000])
  })

  test('downloads by the fetch of the options', async () => {
    const asked = []
    const fetch = async (url, { redirect, headers = {} }) => {
      asked.push([String(url), redirect, new Headers(headers).get('accept')])
      return new Response(HELLO)
    }
    const accept = 'application/wasm;q=0.9,application/octet-stream;q=0.8'
    assert.equal(await said({ wasm: [{ url: 'https://a.invalid/x' }] }, { fetch }), 'hello')
    assert.deepEqual(asked.pop(), ['https://a.invalid/x', 'follow', accept])
    assert.equal(await said('https://a.invalid/y', { fetch }), 'hello')
    assert.deepEqual(asked.pop().slice(0, 2), ['https://a.invalid/y', 'follow'])
    const failure = new Error('no network')
    await assert.rejects(createPlugin('http://a.invalid', { fetch: async () => { throw failure } }), error => error === failure)
  })

  test('rejects, and never throws', async () => {
    for (const bad of [undefined, null, 5, {}, [], true, { wasm: null }]) {
      const promise = createPlugin(bad)
      assert.ok(promise instanceof Promise)
      await assert.rejects(promise, { name: 'TypeError' })
    }
    const reason = new Error('none')
    await assert.rejects(createPlugin(Promise.reject(reason)), error => error === reason)
    await assert.rejects(createPlugin('{"wasm":'), { code: 'ERR_EXTISM_MANIFEST' })
    await assert.rejects(createPlugin(Buffer.from('no module')), { code: 'ERR_EXTISM_MODULE' })
  })

  test('says what is wrong with a manifest', async () => {
    await refused({ modules: [] }, 'Expected "wasm" key in manifest', 'TypeError')
    await refused('{}', 'Expected "wasm" key in manifest', 'TypeError')
    await refused({ wasm: {} }, 'Expected "manifest.wasm" to be array', 'TypeError')
    for (const item of [{}, { name: 'main' }]) {
      await refused({ wasm: [{ data: HELLO }, item] }, 'Expected every item in "manifest.wasm" to include either a "data", "url", or "path" key; got bad item at index 1', 'TypeError')
    }
    await refused({ wasm: Array(1) }, 'Expected every item in "manifest.wasm" to include either a "data", "url", or "path" key; got bad item at index 0', 'TypeError')
    await refused({ wasm: [{ path: '', name: 'main', data: null }] }, 'Unrecognized wasm item at index 0. Keys include: "data,name,path"')
    await refused({ wasm: [{ data: HELLO }, { name: 'other', data: HELLO }] }, 'manifest with multiple modules must designate one "main" module')
    await assert.rejects(createPlugin({ wasm: [] }), { code: 'ERR_EXTISM_MANIFEST' })
    const response = () => new Response('', { headers: { 'content-type': 'text/html; charset=utf-8' } })
    const type = 'expected content-type of "text/json", "application/json", "application/octet-stream", or "application/wasm"; got "text/html" after stripping off charset.'
    await refused(response(), `While processing manifest URL ""; ${type}`, 'TypeError')
  })

  test('refuses a WebAssembly.Module, whose bytes are not to be had', async () => {
    const module = new WebAssembly.Module(Buffer.from('\0asm\x01\0\0\0', 'latin1'))
    await refused(module, /WebAssembly\.Module/, 'TypeError')
    await refused({ wasm: [{ module }] }, /WebAssembly\.Module/, 'TypeError')
    await refused({ wasm: [{ module, hash: 'ab' }] }, 'Item specified a hash but WebAssembly.Module source data is unavailable for hashing')
  })
})

describe('an item of manifest.wasm', () => {
  test('has the first source that there is: data, path, url, response', async t => {
    const file = path.join(directory(t), 'file')
    writeFileSync(file, saying('path'))
    const url = `data:application/wasm;base64,${saying('url').toString('base64')}`
    assert.equal(await said({ wasm: [{ url, path: file, data: saying('data') }] }), 'data')
    assert.equal(await said({ wasm: [{ url, path: file, data: null }] }), 'path')
    assert.equal(await said({ wasm: [{ response: new Response(HELLO), url }] }), 'url')
  })

  test('has the hash that it says, in any case, of these bytes alone', async () => {
    const pooled = new Uint8Array(Buffer.concat([HELLO, HELLO])).subarray(HELLO.length)
    for (const data of [HELLO, pooled]) {
      assert.equal(await said({ wasm: [{ data, hash: sha256(HELLO) }] }), 'hello')
      assert.equal(await said({ wasm: [{ data, hash: sha256(HELLO).toUpperCase() }] }), 'hello')
      await refused({ wasm: [{ data, hash: 'AB' }] }, `Plugin error: hash mismatch. Expected: AB. Actual: ${sha256(HELLO)}`)
    }
  })

  test('is named main if it is the last, and else by its hash or its place', async () => {
    const library = wat('(module (func (export "seven") (result i32) (i32.const 7)))')
    const main = from => ({ data: wat(`(module (import "${from}" "seven" (func (result i32))) (func (export "run")))`) })
    const hash = sha256(library)
    for (const [item, name] of [[{ name: 'given', hash }, 'given'], [{ hash }, hash], [{}, '0']]) {
      assert.equal(await said({ wasm: [{ data: library, ...item }, main(name)] }), undefined)
    }
    assert.equal(await said({ wasm: [{ name: 'main', data: HELLO }, { name: 'unused', data: library }] }), 'hello')
  })

  test('is the main one where it is the only one, whatever its name', async () => {
    for (const name of ['greeter', 'extism:host/env', '', null, undefined]) {
      assert.equal(await said({ wasm: [{ name, data: HELLO }] }), 'hello')
      assert.equal(await said(JSON.stringify({ wasm: [{ name, data: HELLO.toString('base64') }] })), 'hello')
    }
  })

  test('has no name and no hash where these are empty texts, null or undefined', async () => {
    const library = wat('(module (func (export "seven") (result i32) (i32.const 7)))')
    const main = wat('(module (import "0" "seven" (func (result i32))) (func (export "run")))')
    for (const none of ['', null, undefined]) {
      const wasm = [{ data: library, name: none, hash: none }, { data: main, name: none, hash: none }]
      assert.equal(await said({ wasm }), undefined)
    }
  })
})

describe('what else a manifest has', () => {
  const DECLARED = { config: { key: 'manifest' }, memory: { maxVarBytes: 3, maxPages: 1 }, timeoutMs: 1 }
  const item = { data: CODE.toString('base64') }
  const functions = { 'extism:host/user': { answer: () => new Promise(() => {}) } }

  const SPELLINGS = {
    'an object': { wasm: [item], ...DECLARED },
    'an object in snake case': { wasm: [item], config: DECLARED.config, memory: { max_var_bytes: 3, max_pages: 1 }, timeout_ms: 1 },
    JSON: JSON.stringify({ wasm: [item], ...DECLARED }),
    'JSON in snake case': JSON.stringify({ wasm: [item], config: DECLARED.config, memory: { max_var_bytes: 3, max_pages: 1 }, timeout_ms: 1 })
  }
  for (const [spelling, manifest] of Object.entries(SPELLINGS)) {
    test(`is there where the options do not have it: ${spelling}`, async t => {
      const plugin = await made(t, manifest, { functions })
      await assert.rejects(plugin.call('ask'), { code: 'ERR_EXTISM_TIMEOUT' })
      const calm = await made(t, manifest, { functions, timeoutMs: 0 })
      assert.equal(await textOf(calm.call('config', 'key')), 'manifest')
      await assert.rejects(calm.call('set', 'long'), /var memory limit exceeded: 4 bytes requested, 3 allowed/)
      await assert.rejects(calm.call('echo', Buffer.alloc(100_000)), { code: 'ERR_EXTISM_OUT_OF_MEMORY' })
    })
  }

  test('is out of use, as a whole, where the options have their own', async t => {
    const plugin = await made(t, SPELLINGS.JSON, { functions, timeoutMs: 0, config: {}, memory: {} })
    assert.equal(await plugin.call('config', 'key'), null)
    await plugin.call('set', 'long')
    assert.equal((await plugin.call('echo', Buffer.alloc(100_000))).byteLength, 100_000)
  })
})
