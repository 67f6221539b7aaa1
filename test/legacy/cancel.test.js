import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { CancelHandle, HostFunction, Plugin } from '../../index.js'
import { guest, pluginBytes, signal } from '../helpers.js'

const CANCELLED = { name: 'ExtismError', code: 'ERR_EXTISM_CANCELLED', message: /^Plugin error: / }

/** A plugin whose `spin` says that it has started and never ends; `f` is what it says it to. */
function spinning (f) {
  const data = guest(`
    (func (export "spin") (call $started) (loop $again (br $again)))
    (func (export "echo") (call $give (call $input)))`, { user: '(import USER "started" (func $started))' })
  return new Plugin({ wasm: [{ data }], timeout_ms: 5_000 }, false, [new HostFunction('started', [], [], f)])
}

describe('plugin.cancelHandle() and handle.cancel()', () => {
  test('interrupts the running call', async () => {
    const [started, start] = signal()
    const plugin = spinning(() => start())
    const handle = plugin.cancelHandle()
    assert.ok(handle instanceof CancelHandle)
    const call = plugin.call('spin')
    await started
    assert.equal(handle.cancel(), true)
    await assert.rejects(call, { ...CANCELLED, function: 'spin' })
    plugin.free()
  })

  test('the plugin serves the next call', async () => {
    const plugin = spinning(() => setImmediate(() => plugin.cancelHandle().cancel()))
    for (let i = 0; i < 10; i++) {
      await assert.rejects(plugin.call('spin'), CANCELLED)
      assert.equal((await plugin.call('echo', `${i}`)).toString(), `${i}`)
    }
    plugin.free()
  })

  test('interrupts a call that has only just been made', async () => {
    const plugin = spinning(() => {})
    const rejected = assert.rejects(plugin.call('spin'), CANCELLED)
    assert.equal(plugin.cancelHandle().cancel(), true)
    await rejected
    assert.equal((await plugin.call('echo', 'after')).toString(), 'after')
    plugin.free()
  })

  test('does not touch calls that wait behind the running one', async () => {
    const [started, start] = signal()
    const plugin = spinning(() => start())
    const calls = [plugin.call('spin'), plugin.call('echo', '1'), plugin.call('echo', '2')]
    await started
    assert.equal(plugin.cancelHandle().cancel(), true)
    await assert.rejects(calls[0], CANCELLED)
    assert.equal((await calls[1]).toString(), '1')
    assert.equal((await calls[2]).toString(), '2')
    plugin.free()
  })

  test('does not touch another plugin of the same code', async () => {
    const signals = [signal(), signal()]
    const plugins = signals.map(([, start]) => spinning(() => start()))
    const calls = plugins.map(plugin => plugin.call('spin'))
    await Promise.all(signals.map(([started]) => started))
    assert.equal(plugins[0].cancelHandle().cancel(), true)
    await assert.rejects(calls[0], CANCELLED)
    const first = await Promise.race([calls[1].catch(() => 'ended'), plugins[0].call('echo', 'still running')])
    assert.equal(first.toString(), 'still running')
    assert.equal(plugins[1].cancelHandle().cancel(), true)
    await assert.rejects(calls[1], CANCELLED)
    for (const plugin of plugins) plugin.free()
  })

  test('says false when nothing runs, and the next call is not hit', async () => {
    const plugin = new Plugin(pluginBytes('modern.wat'))
    const handle = plugin.cancelHandle()
    assert.equal(handle.cancel(), false)
    assert.equal((await plugin.call('echo', 'first')).toString(), 'first')
    assert.equal(handle.cancel(), false)
    for (let i = 0; i < 100; i++) {
      assert.equal((await plugin.call('echo', 'x')).toString(), 'x')
      handle.cancel()
    }
    plugin.free()
  })

  test('says false on a freed plugin', () => {
    const plugin = new Plugin(pluginBytes('modern.wat'))
    const handle = plugin.cancelHandle()
    plugin.free()
    assert.equal(handle.cancel(), false)
  })

  test('works from within a host function', async () => {
    const plugin = spinning(() => assert.equal(plugin.cancelHandle().cancel(), true))
    await assert.rejects(plugin.call('spin'), CANCELLED)
    assert.equal((await plugin.call('echo', 'after')).toString(), 'after')
    plugin.free()
  })

  test('interrupts a call that waits for a host function', async () => {
    const [started, start] = signal()
    const plugin = spinning(() => {
      start()
      return new Promise(() => {})
    })
    const call = plugin.call('spin')
    await started
    assert.equal(plugin.cancelHandle().cancel(), true)
    await assert.rejects(call, CANCELLED)
    assert.equal((await plugin.call('echo', 'after')).toString(), 'after')
    plugin.free()
  })

  test('a handle made before an update cancels what runs after it', async () => {
    const [started, start] = signal()
    const plugin = new Plugin(pluginBytes('modern.wat'))
    const handle = plugin.cancelHandle()
    const code = guest('(func (export "spin") (call $started) (loop $again (br $again)))', { user: '(import USER "started" (func $started))' })
    plugin.update(code, false, [new HostFunction('started', [], [], () => start())])
    const call = plugin.call('spin')
    await started
    assert.equal(handle.cancel(), true)
    await assert.rejects(call, CANCELLED)
    plugin.free()
  })

  test('the interrupted call starts the plugin afresh', async () => {
    const [started, start] = signal()
    const code = guest(`
      (global $calls (mut i64) (i64.const 48))
      (func (export "count")
        (local $block i64)
        (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
        (local.set $block (call $alloc (i64.const 1)))
        (call $store_u8 (local.get $block) (i32.wrap_i64 (global.get $calls)))
        (call $give (local.get $block)))
      (func (export "spin") (call $started) (loop $again (br $again)))`, { user: '(import USER "started" (func $started))' })
    const plugin = new Plugin(code, false, [new HostFunction('started', [], [], () => start())])
    assert.equal((await plugin.call('count')).toString(), '1')
    const call = plugin.call('spin')
    await started
    plugin.cancelHandle().cancel()
    await assert.rejects(call, CANCELLED)
    assert.equal((await plugin.call('count')).toString(), '1')
    plugin.free()
  })

  test('reaches no call after the cancelled one, however soon that comes, on many plugins at once', async () => {
    const code = guest('(func (export "wait") (call $wait)) (func (export "echo") (call $give (call $input)))', { user: '(import USER "wait" (func $wait))' })
    const outcomes = {}
    await Promise.all(Array.from({ length: 16 }, async () => {
      const plugin = new Plugin(code, false, [new HostFunction('wait', [], [], () => {
        plugin.cancelHandle().cancel()
        return new Promise(() => {})
      })])
      for (let i = 0; i < 200; i++) {
        const settled = await Promise.allSettled([plugin.call('wait'), plugin.call('echo', 'x')])
        const outcome = settled.map(({ reason }) => reason?.code ?? 'answered').join(', ')
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      }
      plugin.free()
    }))
    assert.deepEqual(outcomes, { 'ERR_EXTISM_CANCELLED, answered': 3200 })
  })
})
