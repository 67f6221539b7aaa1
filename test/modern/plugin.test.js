import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import createByDefault, * as imported from '../../index.js'
import { guest, signal, wat } from '../helpers.js'
import { USER, asking, made, textOf } from './making.js'

const { CAPABILITIES, createPlugin, newPlugin } = imported
const required = createRequire(import.meta.url)('../../index.cjs')
const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))

describe('the package', () => {
  test('has createPlugin under all its names, and to CommonJS is that function', () => {
    assert.equal(typeof createPlugin, 'function')
    for (const same of [createByDefault, newPlugin, required, required.default, required.createPlugin, required.newPlugin]) assert.equal(same, createPlugin)
  })

  test('exports the same names and objects from both module systems', () => {
    assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort())
    for (const name of Object.keys(imported)) assert.equal(imported[name], required[name])
  })

  test('says what it is capable of', () => {
    assert.deepEqual({ ...CAPABILITIES }, {
      supportsJSPromiseInterface: true,
      allowSharedBufferCodec: false,
      manifestSupportsPaths: true,
      crossOriginChecksEnforced: false,
      fsAccess: true,
      hasWorkerCapability: true,
      supportsWasiPreview1: true,
      supportsTimeouts: true,
      extismStdoutEnvVarSet: Boolean(process.env.EXTISM_ENABLE_WASI_OUTPUT)
    })
  })
})

describe('plugin.call(name, input, hostContext, options) and callSync', () => {
  const INPUTS = {
    'a string, as UTF-8': ['I 💜 Extism\0', Buffer.from('I 💜 Extism\0')],
    'a Uint8Array': [new Uint8Array(all), all],
    'a part of a buffer': [new Uint8Array(all.buffer, all.byteOffset + 10, 20), all.subarray(10, 30)],
    'a Buffer': [all, all],
    'an ArrayBuffer': [new Uint8Array(all).buffer, all],
    'a DataView': [new DataView(new Uint8Array(all).buffer, 5, 7), all.subarray(5, 12)],
    'a Uint16Array': [new Uint16Array([258]), Buffer.from([2, 1])],
    'a megabyte': [Buffer.alloc(1 << 20, all), Buffer.alloc(1 << 20, all)],
    'an empty string': ['', Buffer.alloc(0)],
    'no bytes': [new Uint8Array(), Buffer.alloc(0)],
    'nothing at all': [undefined, Buffer.alloc(0)],
    null: [null, Buffer.alloc(0)]
  }
  for (const [form, [input, bytes]] of Object.entries(INPUTS)) {
    test(`takes ${form}`, async t => {
      const plugin = await asking(t)
      assert.ok(bytes.equals((await plugin.call('echo', input)).bytes()))
      assert.ok(bytes.equals(plugin.callSync('echo', input).bytes()))
    })
  }

  test('refuses any other input, and a name that is none', async t => {
    const plugin = await asking(t)
    for (const input of [5, 0, 5n, true, {}, [], () => {}, Symbol('x')]) {
      await assert.rejects(plugin.call('echo', input), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /^the input must be a string or bytes/ })
      assert.throws(() => plugin.callSync('echo', input), { name: 'TypeError' })
    }
    for (const name of [null, 5, {}]) await assert.rejects(plugin.call(name), { name: 'TypeError' })
  })

  test('copies the input', async t => {
    const plugin = await asking(t)
    const input = Buffer.from('before')
    const call = plugin.call('echo', input)
    input.fill('x')
    assert.equal(await textOf(call), 'before')
  })

  test('gives null where there is no output, also after a call that had one, whatever the code', async t => {
    const plugin = await asking(t)
    await plugin.call('echo', 'before')
    for (const name of ['nothing', 'seven']) {
      assert.equal(await plugin.call(name, 'input'), null)
      assert.equal(plugin.callSync(name, 'input'), null)
    }
  })

  test('gives an output of no bytes where the plugin sets that', async t => {
    const plugin = await asking(t)
    assert.equal((await plugin.call('empty')).byteLength, 0)
    assert.equal(plugin.callSync('empty').text(), '')
  })

  test('keeps the memory of the guest from call to call', async t => {
    const plugin = await asking(t)
    assert.equal(await textOf(plugin.call('count')), '1')
    assert.equal(plugin.callSync('count').text(), '2')
    assert.equal(await plugin.reset(), true)
    assert.equal(await textOf(plugin.call('count')), '3')
  })

  test('runs functions of any signature, with zeros', async t => {
    const plugin = await made(t, guest('(func (export "run") (param i32 f64) (result i64 f32) (call $give (call $input)) (i64.const 9) (f32.const 1))'))
    assert.equal(await textOf(plugin.call('run', 'called')), 'called')
  })

  test('of what is not there, or is no function, rejects in these words', async t => {
    const plugin = await asking(t)
    const FAILURES = { absent: 'Plugin error: function "absent" does not exist', memory: 'Plugin error: export "memory" is not a function' }
    for (const [name, message] of Object.entries(FAILURES)) {
      await assert.rejects(plugin.call(name), { message, code: 'ERR_EXTISM_FUNCTION_NOT_FOUND' })
      assert.throws(() => plugin.callSync(name), { message, code: 'ERR_EXTISM_FUNCTION_NOT_FOUND' })
      assert.equal(plugin.isActive(), false)
      assert.equal(await plugin.reset(), true)
    }
  })
})

describe('what a plugin tells of itself', () => {
  const MODULE = wat(`(module
    (import "${USER}" "answer" (func (param i32)))
    (import "extism:host/env" "length" (func (param i64) (result i64)))
    (memory (export "mem") 1) (table (export "tab") 1 funcref) (global (export "glob") i32 (i32.const 0))
    (func (export "plain")) (func (export "odd") (param i64 i64)))`)
  const options = { functions: { [USER]: { answer: () => {} } } }

  test('getExports and getImports have those of the main module, in its order', async t => {
    const plugin = await made(t, { wasm: [{ name: 'other', data: wat('(module (func (export "hidden")))') }, { data: MODULE }] }, options)
    assert.deepEqual(await plugin.getExports(), [
      { name: 'mem', kind: 'memory' }, { name: 'tab', kind: 'table' }, { name: 'glob', kind: 'global' },
      { name: 'plain', kind: 'function' }, { name: 'odd', kind: 'function' }
    ])
    assert.deepEqual(await plugin.getImports(), [
      { module: USER, name: 'answer', kind: 'function' },
      { module: 'extism:host/env', name: 'length', kind: 'function' }
    ])
  })

  test('functionExists is true of functions, whatever their signature', async t => {
    const plugin = await made(t, MODULE, options)
    for (const name of ['plain', 'odd']) assert.equal(await plugin.functionExists(name), true)
    for (const name of ['mem', 'tab', 'glob', 'absent', 'hidden', '', 'constructor']) assert.equal(await plugin.functionExists(name), false)
  })

  test('getInstance rejects: there is none in V8', async t => {
    const plugin = await asking(t)
    await assert.rejects(plugin.getInstance(), { name: 'ExtismError', code: 'ERR_EXTISM_UNSUPPORTED' })
  })

  test('isActive is true while a call runs, and reset is false', async t => {
    const seen = []
    const plugin = await asking(t, async () => {
      seen.push(plugin.isActive(), await plugin.reset())
      return 0n
    })
    assert.equal(plugin.isActive(), false)
    const call = plugin.call('tell')
    assert.equal(plugin.isActive(), true)
    await call
    assert.deepEqual(seen, [true, false])
    assert.deepEqual([plugin.isActive(), await plugin.reset()], [false, true])
  })

  test('stats counts', async t => {
    const plugin = await asking(t)
    await plugin.call('echo')
    await assert.rejects(plugin.call('trap'))
    const { calls, active, queued, errors } = plugin.stats()
    assert.deepEqual({ calls, active, queued, errors }, { calls: 2, active: 0, queued: 0, errors: { ERR_EXTISM_TRAP: 1 } })
  })
})

describe('plugin.close()', () => {
  const CLOSED = { name: 'ExtismError', code: 'ERR_EXTISM_CLOSED' }

  test('waits for the calls that run and wait, and takes no more', async t => {
    const [started, start] = signal()
    const [released, release] = signal()
    const plugin = await asking(t, async (context, address) => {
      start()
      await released
      return address
    })
    const calls = [plugin.call('ask', '1'), plugin.call('ask', '2')]
    await started
    const closed = plugin.close()
    await assert.rejects(plugin.call('echo'), CLOSED)
    assert.throws(() => plugin.callSync('echo'), CLOSED)
    release()
    assert.deepEqual(await Promise.all(calls.map(textOf)), ['1', '2'])
    assert.equal(await closed, undefined)
    assert.equal(plugin.isActive(), false)
  })

  test('leaves the plugin active until they are done', async t => {
    const [started, start] = signal()
    const [released, release] = signal()
    const plugin = await asking(t, async () => {
      start()
      await released
      return 0n
    })
    const call = plugin.call('tell')
    await started
    const closed = plugin.close()
    const active = plugin.isActive()
    release()
    await Promise.all([call, closed])
    assert.deepEqual([active, plugin.isActive()], [true, false])
  })

  test('may be asked for often', async t => {
    const plugin = await asking(t)
    await Promise.all([plugin.close(), plugin.close()])
    await plugin.close()
    for (const name of ['functionExists', 'getExports', 'getImports', 'reset', 'update']) await assert.rejects(plugin[name]('echo'), CLOSED)
  })

  test('is what the end of an asynchronous block does', async t => {
    const plugin = await asking(t)
    await plugin[Symbol.asyncDispose]()
    await assert.rejects(plugin.call('echo'), CLOSED)
  })
})
