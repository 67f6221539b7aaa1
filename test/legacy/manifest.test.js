import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { Plugin } from '../../index.js'
import { pluginBytes, pluginPath } from '../helpers.js'

/** The smallest module, in the binary format: one function, `run`. */
const BINARY = Buffer.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  1, 4, 1, 0x60, 0, 0,
  3, 2, 1, 0,
  7, 7, 1, 3, 0x72, 0x75, 0x6e, 0, 0,
  10, 4, 1, 2, 0, 0x0b
])
const TEXT = '(module (func (export "run")))'

async function runs (manifest) {
  const plugin = new Plugin(manifest)
  assert.equal(plugin.functionExists('run'), true)
  assert.equal((await plugin.call('run', 'input')).length, 0)
  plugin.free()
}

function refused (manifest, code, message = /./) {
  assert.throws(() => new Plugin(manifest), error => {
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  })
}

describe('manifest: a module', () => {
  const FORMS = {
    'a Buffer': BINARY,
    'a Uint8Array': new Uint8Array(BINARY),
    'a Uint8Array of a part of a buffer': new Uint8Array([9, 9, ...BINARY, 9]).subarray(2, 2 + BINARY.length),
    'an ArrayBuffer': new Uint8Array(BINARY).buffer,
    'a DataView': new DataView(new Uint8Array(BINARY).buffer),
    'text in a string': TEXT,
    'text in a Buffer': Buffer.from(TEXT),
    'text after comments': `;; a comment\n(; another ;)\n ${TEXT}`
  }
  for (const [form, manifest] of Object.entries(FORMS)) {
    test(`as ${form}`, () => runs(manifest))
  }

  test('is read when it is given', async () => {
    const bytes = Buffer.from(BINARY)
    const plugin = new Plugin(bytes)
    bytes.fill(0)
    assert.equal((await plugin.call('run')).length, 0)
    plugin.free()
  })

  test('that is none is refused', () => {
    const bad = ['', 'hello', '[]', Buffer.alloc(0), Buffer.from('\0asm'), BINARY.subarray(0, 20), Buffer.concat([BINARY, Buffer.from([1])]), '(module', '(module (func (result i32)))', '(component)']
    for (const manifest of bad) refused(manifest, 'ERR_EXTISM_MODULE')
  })
})

describe('manifest: JSON', () => {
  const json = JSON.stringify({ wasm: [{ data: BINARY.toString('base64') }] })

  test('in a string, with base64 data', () => runs(json))
  test('in a Buffer, with base64 data', () => runs(Buffer.from(json)))
  test('in a Uint8Array, after white space', () => runs(new Uint8Array(Buffer.from(`\n  ${json}`))))
  test('with a path', () => runs(JSON.stringify({ wasm: [{ path: pluginPath('run.wat') }] })))

  test('with data: { ptr, len } is refused', () => {
    for (const data of [{ ptr: 0, len: 8 }, { ptr: 4096, len: 8 }, { ptr: -1, len: 2 ** 53 }, { len: 1 }, [0, 97, 115, 109], 5, true]) {
      refused(JSON.stringify({ wasm: [{ data }] }), 'ERR_EXTISM_MANIFEST', /wasm\[0\]\.data/)
      refused(Buffer.from(JSON.stringify({ wasm: [{ data }] })), 'ERR_EXTISM_MANIFEST', /wasm\[0\]\.data/)
    }
  })

  test('that is none is refused', () => {
    for (const manifest of ['{', '{]', '{"wasm"}', '{"wasm": [}', `{${'['.repeat(100_000)}`]) refused(manifest, 'ERR_EXTISM_MANIFEST', /JSON/)
  })
})

describe('manifest: an object', () => {
  test('with data', () => runs({ wasm: [{ data: BINARY }] }))
  test('with data in a Uint8Array or an ArrayBuffer', async () => {
    await runs({ wasm: [{ data: new Uint8Array(BINARY) }] })
    await runs({ wasm: [{ data: new Uint8Array(BINARY).buffer }] })
  })
  test('with data that is text', () => runs({ wasm: [{ data: Buffer.from(TEXT) }] }))
  test('with a path', () => runs({ wasm: [{ path: pluginPath('run.wat') }] }))

  test('with data: { ptr, len } is refused', () => {
    refused({ wasm: [{ data: { ptr: 1, len: 8 } }] }, 'ERR_EXTISM_MANIFEST', /wasm\[0\]\.data/)
  })

  test('without a module, or with one that is none, is refused by its place', () => {
    for (const manifest of [{}, { wasm: [] }, { wasm: {} }, { wasm: 'x' }, { wasm: null }]) refused(manifest, 'ERR_EXTISM_MANIFEST', /"wasm"/)
    for (const item of [{}, null, 5, 'x', { name: 'x' }, { path: 5 }, { url: {} }]) {
      refused({ wasm: [{ data: BINARY }, item] }, 'ERR_EXTISM_MANIFEST', /wasm\[1\]/)
    }
  })

  test('with a hole among its modules is refused by its place', async () => {
    const manifest = { wasm: [{ data: BINARY }].concat(Array(1)) }
    refused(manifest, 'ERR_EXTISM_MANIFEST', /wasm\[1\]/)
    await assert.rejects(Plugin.create(manifest), { code: 'ERR_EXTISM_MANIFEST' })
  })

  test('with a file that is not there is refused, and names it', () => {
    refused({ wasm: [{ path: 'no/such.wasm' }] }, 'ERR_EXTISM_MANIFEST', /wasm\[0\].*no\/such\.wasm.*ENOENT/)
  })

  test('with a hash is checked', async () => {
    const hash = createHash('sha256').update(BINARY).digest('hex')
    await runs({ wasm: [{ data: BINARY, hash }] })
    await runs({ wasm: [{ data: BINARY, hash: hash.toUpperCase() }] })
    refused({ wasm: [{ data: BINARY, hash: '0'.repeat(64) }] }, 'ERR_EXTISM_MANIFEST', /wasm\[0\].*hash/)
  })

  test('with one module has that for the main one, whatever its name, and an empty hash is none', async () => {
    for (const name of ['greeter', 'extism:host/env', '', null, undefined]) await runs({ wasm: [{ name, hash: '', data: BINARY }] })
  })

  test('with modules of empty names has these named by their place', async () => {
    const library = Buffer.from('(module (func (export "seven") (result i32) (i32.const 7)))')
    const main = Buffer.from('(module (import "0" "seven" (func (result i32))) (func (export "run")))')
    await runs({ wasm: [{ name: '', data: library }, { name: '', data: main }] })
  })

  test('anything else is a TypeError', () => {
    for (const manifest of [undefined, null, 5, true, [], () => {}, Symbol('s')]) {
      assert.throws(() => new Plugin(manifest), { name: 'TypeError', message: /manifest/ })
    }
  })
})

describe('manifest: a url', () => {
  const SERVER = `
    const { createServer } = require('node:http')
    const { parentPort, workerData } = require('node:worker_threads')
    const server = createServer((request, response) => {
      if (request.url === '/moved') return response.writeHead(302, { location: '/plugin' }).end()
      if (request.url !== '/plugin') response.statusCode = 404
      response.end(Buffer.from(workerData))
    })
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`
  let worker, base
  before(async () => {
    worker = new Worker(SERVER, { eval: true, workerData: BINARY })
    const [port] = await once(worker, 'message')
    base = `http://127.0.0.1:${port}`
  })
  after(() => worker.terminate())

  test('is downloaded', () => runs({ wasm: [{ url: `${base}/plugin` }] }))
  test('may be a URL', () => runs({ wasm: [{ url: new URL('/plugin', base) }] }))
  test('in JSON is downloaded', () => runs(JSON.stringify({ wasm: [{ url: `${base}/plugin` }] })))
  test('with null for what is not given is downloaded', () => runs({ wasm: [{ data: null, path: null, name: null, hash: null, url: `${base}/plugin` }] }))
  test('is followed', () => runs({ wasm: [{ url: `${base}/moved` }] }))

  test('that gives no module is refused, and named', () => {
    refused({ wasm: [{ url: `${base}/absent` }] }, 'ERR_EXTISM_MANIFEST', /wasm\[0\].*\/absent.*404/)
    refused({ wasm: [{ url: 'nonsense' }] }, 'ERR_EXTISM_MANIFEST', /wasm\[0\].*nonsense/)
    refused({ wasm: [{ url: pathToFileURL(pluginPath('run.wat')) }] }, 'ERR_EXTISM_MANIFEST', /wasm\[0\]/)
  })
})

describe('manifest: config', () => {
  const data = pluginBytes('modern.wat')
  const config = async (manifest, argument) => {
    const plugin = new Plugin({ wasm: [{ data }], ...manifest }, false, [], argument)
    const values = []
    for (const key of ['a', 'b']) values.push((await plugin.call('config', key)).toString())
    plugin.free()
    return values
  }

  test('may be an object or a Map', async () => {
    assert.deepEqual(await config({ config: { a: '1', b: 'zwölf' } }), ['1', 'zwölf'])
    assert.deepEqual(await config({ config: new Map([['a', '1']]) }), ['1', ''])
  })

  test('may be an argument, an object or a Map', async () => {
    assert.deepEqual(await config({}, { a: '1' }), ['1', ''])
    assert.deepEqual(await config({}, new Map([['b', '2']])), ['', '2'])
  })

  test('as an argument adds to and overrides that of the manifest', async () => {
    assert.deepEqual(await config({ config: { a: 'old', b: 'kept' } }, { a: 'new' }), ['new', 'kept'])
  })

  test('that is none is refused, by key', () => {
    for (const [bad, message] of [[5, /config/], ['x', /config/], [{ a: 5 }, /"a".*5/], [new Map([[5, 'x']]), /key.*5/]]) {
      assert.throws(() => new Plugin({ wasm: [{ data }], config: bad }), { name: 'TypeError', message })
      assert.throws(() => new Plugin(data, false, [], bad), { name: 'TypeError', message })
    }
  })
})

describe('manifest: allowed_paths', () => {
  /** Reads the file `/guest/file` with WASI. */
  const READING = `(module
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
    (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
    (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "file")
    (data (i32.const 16) "\\40\\00\\00\\00\\01\\00\\00\\00")
    (func (export "read") (result i32) (local $block i64)
      (if (i32.ne (i32.const 0)
            (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32)))
        (then (return (i32.const 1))))
      (if (i32.ne (i32.const 0)
            (call $fd_read (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 36)))
        (then (return (i32.const 2))))
      (local.set $block (call $alloc (i64.const 1)))
      (call $store_u8 (local.get $block) (i32.load8_u (i32.const 64)))
      (call $output_set (local.get $block) (i64.const 1))
      (i32.const 0)))`
  let directory
  before(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'extism-napi-'))
    writeFileSync(path.join(directory, 'file'), 'x')
  })
  after(() => rmSync(directory, { recursive: true }))

  const read = async paths => {
    const plugin = new Plugin({ wasm: [{ data: Buffer.from(READING) }], ...paths }, true)
    try {
      return (await plugin.call('read')).toString()
    } finally {
      plugin.free()
    }
  }

  test('opens a directory to the plugin, in either spelling', async () => {
    assert.equal(await read({ allowed_paths: { [directory]: '/guest' } }), 'x')
    assert.equal(await read({ allowedPaths: { [`ro:${directory}`]: '/guest' } }), 'x')
  })

  test('without it there is no file', async () => {
    await assert.rejects(read({}), { code: 'ERR_EXTISM_EXIT', exitCode: 1 })
  })
})
