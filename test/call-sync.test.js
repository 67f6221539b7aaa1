import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { ExtismError, Plugin, Store, memoryGet } from '../index.js'
import { answering, holding, outcomes, thrownBy } from './answering.js'
import { guest, pluginBytes, wat } from './helpers.js'

const modern = (options, manifest) => new Plugin({ wasm: [{ data: pluginBytes('modern.wat') }], ...manifest }, false, [], undefined, null, options)

describe('callSync', () => {
  test('gives the output of a call: a Buffer of its own', () => {
    const plugin = modern()
    const output = plugin.callSync('echo', 'text 💜')
    assert.ok(Buffer.isBuffer(output))
    assert.equal(String(output), 'text 💜')
    output.fill(0)
    const bytes = Buffer.from([0, 255, 128])
    for (const input of [bytes, new Uint8Array(bytes), new Uint8Array(bytes).buffer]) assert.deepEqual(plugin.callSync('echo', input), bytes)
    assert.ok(plugin.callSync('echo', Buffer.alloc(1 << 20, 'ab')).equals(Buffer.alloc(1 << 20, 'ab')))
    for (const [name, input] of [['nothing', 'x'], ['echo', ''], ['echo', undefined]]) assert.equal(plugin.callSync(name, input).length, 0)
    plugin.free()
  })

  test('works as soon as the plugin is made, with and without a cache', () => {
    for (const cache of [true, false]) {
      const plugin = modern({ cache })
      assert.equal(String(plugin.callSync('echo', 'at once')), 'at once')
      plugin.free()
    }
  })

  test('throws what call rejects with', async () => {
    const plugin = modern(undefined, { timeout_ms: 50 })
    for (const [name, input] of [['refuse', 'no'], ['seven', ''], ['trap', ''], ['recurse', ''], ['spin', ''], ['nowhere', ''], ['trap', 5], [5, '']]) {
      const expected = await plugin.call(name, input).catch(error => error)
      const error = thrownBy(() => plugin.callSync(name, input))
      assert.equal(error instanceof ExtismError, expected instanceof ExtismError)
      for (const property of ['name', 'code', 'message', 'plugin', 'function', 'exitCode']) assert.deepEqual(error[property], expected[property], `${name}: ${property}`)
    }
    await plugin.close()
    assert.throws(() => plugin.callSync('echo'), { name: 'ExtismError', code: 'ERR_EXTISM_CLOSED' })
  })

  test('throws the reason where no instance can be made, again and again', async () => {
    const plugin = new Plugin({ wasm: [{ data: wat('(module (memory 1) (data (i32.const 65536) "beyond") (func (export "run")))') }] })
    for (let i = 0; i < 3; i++) {
      assert.throws(() => plugin.callSync('run'), { code: 'ERR_EXTISM_INSTANCE' })
      await assert.rejects(plugin.call('run'), { code: 'ERR_EXTISM_INSTANCE' })
    }
    await plugin.close()
  })

  test('goes on after a trap, on a fresh instance', () => {
    const plugin = modern()
    for (let i = 1; i <= 20; i++) {
      assert.equal(String(plugin.callSync('count')), '1')
      assert.equal(String(plugin.callSync('count')), '2')
      assert.throws(() => plugin.callSync('trap'), { code: 'ERR_EXTISM_TRAP' })
      assert.equal(plugin.stats().replaced, i)
    }
    plugin.free()
  })

  test('has a timeoutMs, in place of the manifest\'s', () => {
    const plugin = modern(undefined, { timeout_ms: 20 })
    assert.throws(() => plugin.callSync('spin', '', { timeoutMs: 10 }), { code: 'ERR_EXTISM_TIMEOUT', message: /10 ms/ })
    assert.throws(() => plugin.callSync('spin'), { code: 'ERR_EXTISM_TIMEOUT', message: /20 ms/ })
    for (const timeoutMs of [0, Infinity, 60_000]) assert.equal(String(plugin.callSync('echo', 'x', { timeoutMs })), 'x')
    for (const none of [undefined, null, {}]) assert.equal(String(plugin.callSync('echo', 'x', none)), 'x')
    for (const bad of ['5', {}]) assert.throws(() => plugin.callSync('echo', '', { timeoutMs: bad }), { name: 'TypeError', message: /timeoutMs/ })
    assert.throws(() => plugin.callSync('echo', '', { timeoutMs: -1 }), { name: 'RangeError', message: /timeoutMs/ })
    plugin.free()
  })

  test('reads a store, and is counted', () => {
    const code = guest('(func (export "get") (call $give (call $get (call $input))))', { user: '(import USER "get" (func $get (param i64) (result i64)))' })
    const plugin = new Plugin(code, false, [memoryGet('get', new Store([['key', 'value']]))])
    assert.equal(String(plugin.callSync('get', 'key')), 'value')
    const { calls, errors, active } = plugin.stats()
    assert.deepEqual({ calls, errors, active }, { calls: 1, errors: {}, active: 0 })
    plugin.free()
  })
})

describe('callSync and call', () => {
  test('share an instance and its state, in any order', async () => {
    const plugin = modern()
    for (let i = 1; i <= 200; i++) {
      const sync = (i * 7) % 3 === 0
      const output = sync ? plugin.callSync('count') : await plugin.call('count')
      assert.equal(output[0], 48 + i, `call ${i}`)
    }
    assert.equal(plugin.stats().instances, 1)
    await plugin.close()
  })

  test('calls that were made before the end of a callSync are run after it', async () => {
    const calls = []
    const plugin = answering(text => {
      calls.push(other.call('echo', text))
      return text
    })
    const other = modern()
    assert.equal(String(plugin.callSync('ask', 'x')), 'x')
    assert.deepEqual(await outcomes(calls), ['x'])
    await Promise.all([plugin.close(), other.close()])
  })

  test('a busy plugin is ERR_EXTISM_BUSY at once, and the call that runs goes on', async () => {
    const { plugin, question } = holding()
    const running = plugin.call('ask', 'running')
    const { resolve } = await question()
    const waiting = plugin.call('echo', 'waiting')
    for (let i = 0; i < 10; i++) assert.throws(() => plugin.callSync('echo'), { name: 'ExtismError', code: 'ERR_EXTISM_BUSY', message: /^Plugin error: / })
    resolve()
    assert.deepEqual(await outcomes([running, waiting]), ['running', 'waiting'])
    assert.equal(String(plugin.callSync('echo', 'free')), 'free')
    await plugin.close()
  })

  test('with two instances, one of which is busy, callSync runs on the other', async () => {
    const { plugin, question } = holding({ instances: 2 })
    // The instance that is there takes both calls, so that the other one is yet to be made.
    assert.equal(String(plugin.callSync('echo', 'first')), 'first')
    const running = plugin.call('ask', 'running')
    const { resolve } = await question()
    assert.equal(String(plugin.callSync('echo', 'free')), 'free')
    resolve()
    assert.equal(String(await running), 'running')
    await plugin.close()
  })

  test('a cancelled call is over once its promise has rejected', async () => {
    const { plugin, question } = holding()
    for (let i = 0; i < 20; i++) {
      const running = plugin.call('ask', 'running')
      await question()
      plugin.cancelHandle().cancel()
      await assert.rejects(running, { code: 'ERR_EXTISM_CANCELLED' })
      assert.equal(String(plugin.callSync('count')), '1')
    }
    await plugin.close()
  })
})
