import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { ExtismError, Plugin } from '../index.js'
import { answering, holding, outcomes, watch } from './answering.js'
import { guest, pluginBytes, signal as event } from './helpers.js'

const ABORTED = { name: 'AbortError', code: 'ABORT_ERR' }

const listeners = signal => getEventListeners(signal, 'abort').length

/** Numbers below n that are the same in each run. */
function numbers (seed) {
  return n => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(seed / 2 ** 32 * n)
  }
}

describe('the signal of a call', () => {
  test('that cannot be listened to fails the call, and no later one', async () => {
    const unhandled = []
    const listen = reason => unhandled.push(reason)
    process.on('unhandledRejection', listen)
    const plugin = answering(() => { throw new Error('nobody gets this') })
    const { signal } = new AbortController()
    signal.addEventListener = () => { throw new Error('mine') }
    for (const name of ['ask', 'echo']) await assert.rejects(async () => plugin.call(name, '', { signal }), { message: 'mine' })
    delete signal.addEventListener
    assert.equal(String(await plugin.call('echo', 'after', { signal })), 'after')
    await plugin.close()
    await new Promise(setImmediate)
    process.off('unhandledRejection', listen)
    assert.deepEqual([unhandled, listeners(signal)], [[], 0])
  })

  test('that is aborted before keeps it from being made', async () => {
    let asked = 0
    const plugin = answering(() => { asked++ })
    const signal = AbortSignal.abort('too late')
    await assert.rejects(plugin.call('ask', '', { signal }), { ...ABORTED, cause: 'too late' })
    assert.equal(String(await plugin.call('echo', 'after')), 'after')
    assert.deepEqual([asked, plugin.stats().calls, listeners(signal)], [0, 1, 0])
    await plugin.close()
  })

  test('that is aborted while it waits takes it out of the queue', async () => {
    const { plugin, question } = holding()
    const controller = new AbortController()
    const { signal } = controller
    const running = plugin.call('ask', 'running')
    const runner = watch(running)
    const { resolve } = await question()
    const waiting = plugin.call('ask', 'never asked', { signal })
    const behind = plugin.call('echo', 'behind')
    assert.equal(plugin.stats().queued, 2)
    assert.equal(listeners(signal), 1)
    controller.abort()
    await assert.rejects(waiting, { ...ABORTED, cause: signal.reason })
    assert.equal(runner.settled, false)
    assert.deepEqual([plugin.stats().queued, listeners(signal)], [1, 0])
    resolve()
    assert.deepEqual(await outcomes([running, behind]), ['running', 'behind'])
    assert.equal(plugin.stats().replaced, 0)
    await plugin.close()
  })

  test('that is aborted while it runs stops it, and no other', async () => {
    const [started, start] = event()
    const plugin = answering(start)
    const controller = new AbortController()
    const { signal } = controller
    const calls = [plugin.call('spin', '', { signal }), plugin.call('echo', 'behind'), plugin.call('count')]
    await started
    const reason = { why: 'no longer wanted' }
    controller.abort(reason)
    const error = await calls[0].catch(error => error)
    assert.ok(error instanceof ExtismError && error instanceof Error)
    assert.deepEqual([error.name, error.code, error.cause === reason], ['AbortError', 'ABORT_ERR', true])
    assert.deepEqual(await outcomes(calls.slice(1)), ['behind', '1'])
    assert.deepEqual([plugin.stats().replaced, listeners(signal)], [1, 0])
    await plugin.close()
  })

  test('that is aborted after the end changes nothing', async () => {
    const plugin = answering(text => text)
    const controller = new AbortController()
    const { signal } = controller
    assert.equal(String(await plugin.call('count', '', { signal })), '1')
    await assert.rejects(plugin.call('nowhere', '', { signal }), { code: 'ERR_EXTISM_FUNCTION_NOT_FOUND' })
    assert.equal(listeners(signal), 0)
    const next = plugin.call('count')
    controller.abort()
    assert.equal(String(await next), '2')
    assert.equal(plugin.stats().replaced, 0)
    await plugin.close()
  })

  test('rejects a call whose host function never settles, and the plugin is usable', async () => {
    for (let i = 0; i < 20; i++) {
      const { plugin, question } = holding()
      const controller = new AbortController()
      const call = plugin.call('ask', 'never', { signal: controller.signal })
      const { resolve } = await question()
      controller.abort()
      await assert.rejects(call, ABORTED)
      assert.equal(String(await plugin.call('echo', 'usable')), 'usable')
      resolve('too late')
      assert.equal(String(await plugin.call('count')), '1')
      await plugin.close()
    }
  })

  test('can be aborted in a host function of its own call', async () => {
    const controllers = []
    const plugin = answering((text, current) => {
      controllers.pop().abort()
      return text === 'async' ? new Promise(() => {}) : text
    })
    for (const text of ['sync', 'async', 'sync']) {
      const controller = new AbortController()
      controllers.push(controller)
      await assert.rejects(plugin.call('ask', text, { signal: controller.signal }), ABORTED)
      assert.equal(String(await plugin.call('echo', text)), text)
    }
    await plugin.close()
  })

  test('may be that of AbortSignal.timeout, whose reason is a TimeoutError', async () => {
    const plugin = answering(() => {})
    const error = await plugin.call('spin', '', { signal: AbortSignal.timeout(20) }).catch(error => error)
    assert.deepEqual([error.name, error.code, error.cause.name], ['AbortError', 'ABORT_ERR', 'TimeoutError'])
    await plugin.close()
  })

  test('may be that of 100 calls, all of which it ends', async () => {
    const warnings = []
    const warn = warning => warnings.push(warning)
    process.on('warning', warn)
    const { plugin, question } = holding({ instances: 3 })
    const controller = new AbortController()
    const { signal } = controller
    const calls = Array.from({ length: 100 }, () => plugin.call('ask', '', { signal }))
    for (let i = 0; i < 3; i++) await question()
    controller.abort()
    assert.deepEqual(await outcomes(calls), Array(100).fill('ABORT_ERR'))
    assert.equal(listeners(signal), 0)
    assert.deepEqual(plugin.stats().errors, { ERR_EXTISM_CANCELLED: 100 })
    await new Promise(setImmediate)
    process.off('warning', warn)
    assert.deepEqual(warnings, [])
    await plugin.close()
  })

  test('reaches a call whose plugin is still being compiled', async () => {
    const plugin = new Plugin(pluginBytes('modern.wat'), false, [], undefined, null, { cache: false })
    const controller = new AbortController()
    const call = plugin.call('spin', '', { signal: controller.signal })
    controller.abort()
    await assert.rejects(call, ABORTED)
    assert.equal(String(await plugin.call('echo', 'after')), 'after')
    await plugin.close()
  })

  test('reaches a call on code that was replaced, and one of a closed plugin', async () => {
    const { plugin, question } = holding()
    for (const end of [() => plugin.update(pluginBytes('modern.wat')), () => plugin.free()]) {
      const controller = new AbortController()
      const call = plugin.functionExists('ask') ? plugin.call('ask', '', { signal: controller.signal }) : plugin.call('spin', '', { signal: controller.signal })
      if (plugin.functionExists('ask')) await question()
      end()
      controller.abort()
      await assert.rejects(call, ABORTED)
    }
  })

  test('reaches a plugin that sleeps in WASI', async () => {
    const sleeping = new Plugin(guest(`
      (func (export "sleep")
        (i32.store (i32.const 16) (i32.const 1))
        (i64.store (i32.const 24) (call $input_load_u64 (i64.const 0)))
        (if (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)) (then unreachable))
        (call $give (call $input)))`, {
      user: '(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))'
    }), true)
    const nanoseconds = n => Buffer.from(BigUint64Array.of(n).buffer)
    assert.deepEqual(await sleeping.call('sleep', nanoseconds(1_000_000n)), nanoseconds(1_000_000n))
    const hour = nanoseconds(3_600_000_000_000n)
    await assert.rejects(sleeping.call('sleep', hour, { signal: AbortSignal.timeout(30) }), ABORTED)
    await assert.rejects(sleeping.call('sleep', hour, { timeoutMs: 30 }), { code: 'ERR_EXTISM_TIMEOUT' })
    assert.deepEqual(await sleeping.call('sleep', nanoseconds(1n)), nanoseconds(1n))
    await sleeping.close()
  })

  test('that is none is refused', async () => {
    const plugin = new Plugin(pluginBytes('modern.wat'))
    for (const bad of [new AbortController(), {}, 'signal']) {
      await assert.rejects(plugin.call('echo', '', { signal: bad }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /signal must be an AbortSignal/ })
    }
    await assert.rejects(plugin.call('echo', '', 5_000), { name: 'TypeError', message: /options must be an object/ })
    for (const none of [undefined, null, {}, { signal: undefined, timeoutMs: undefined }, { signal: null }]) assert.equal(String(await plugin.call('echo', 'x', none)), 'x')
    await plugin.close()
  })
})

describe('aborted at any moment', () => {
  for (const [name, instances] of [['one instance', 1], ['three instances', 3]]) {
    test(`300 calls on ${name} end with a result or an AbortError each, and the plugin serves on`, async () => {
      const random = numbers(instances)
      const plugin = answering(text => text === 'later' ? new Promise(resolve => setImmediate(resolve, text)) : text, { instances })
      const ended = {}
      for (let round = 0; round < 300; round++) {
        const controller = new AbortController()
        const { signal } = controller
        const [name, input] = [['echo', 'echo'], ['ask', 'now'], ['ask', 'later'], ['work', 'work']][random(4)]
        let settled = 0
        const call = plugin.call(name, input, { signal }).then(String, error => error.code).finally(() => settled++)
        const neighbours = outcomes([plugin.call('echo', 'a'), plugin.call('ask', 'later')])
        for (let ticks = random(12); ticks > 0; ticks--) await new Promise(setImmediate)
        if (round % 10 === 0) await call
        controller.abort()
        const outcome = await call
        assert.ok(outcome === input || outcome === 'ABORT_ERR', `${name}: ${outcome}`)
        assert.deepEqual(await neighbours, ['a', 'later'])
        assert.deepEqual([settled, listeners(signal)], [1, 0])
        ended[outcome] = (ended[outcome] ?? 0) + 1
      }
      assert.ok(ended.ABORT_ERR > 0 && ended.ABORT_ERR < 300, JSON.stringify(ended))
      const { calls, errors, queued, active } = plugin.stats()
      assert.deepEqual({ calls, errors, queued, active }, { calls: 900, errors: { ERR_EXTISM_CANCELLED: ended.ABORT_ERR }, queued: 0, active: 0 })
      await plugin.close()
    })
  }
})

describe('the timeoutMs of a call', () => {
  test('holds for that call, in place of the manifest\'s', async () => {
    const plugin = answering(text => text, { timeout_ms: 30 })
    await assert.rejects(plugin.call('spin', '', { timeoutMs: 15 }), { code: 'ERR_EXTISM_TIMEOUT', message: /^Plugin error: .*15 ms/ })
    await assert.rejects(plugin.call('spin'), { code: 'ERR_EXTISM_TIMEOUT', message: /30 ms/ })
    for (const timeoutMs of [60_000, 0, Infinity, Number.MAX_VALUE]) {
      const slow = answering(text => new Promise(resolve => setTimeout(resolve, 40, text)), { timeout_ms: 5 })
      await assert.rejects(slow.call('ask'), { code: 'ERR_EXTISM_TIMEOUT' })
      assert.equal(String(await slow.call('ask', 'slow', { timeoutMs })), 'slow')
      await slow.close()
    }
    assert.equal(String(await plugin.call('echo', 'after')), 'after')
    await plugin.close()
  })

  test('does not run while the call waits', async () => {
    const { plugin, question } = holding()
    const running = plugin.call('ask', 'running', { timeoutMs: 0 })
    const { resolve } = await question()
    const waiting = plugin.call('echo', 'waited', { timeoutMs: 20_000 })
    const short = plugin.call('spin', '', { timeoutMs: 10 })
    resolve()
    ;(await question(short)).resolve()
    assert.deepEqual(await outcomes([running, waiting, short]), ['running', 'waited', 'ERR_EXTISM_TIMEOUT'])
    await plugin.close()
  })

  test('ends a call whose host function never settles, and one whose signal is aborted too late', async () => {
    const { plugin } = holding()
    const controller = new AbortController()
    await assert.rejects(plugin.call('ask', '', { timeoutMs: 20, signal: controller.signal }), { code: 'ERR_EXTISM_TIMEOUT' })
    controller.abort()
    assert.equal(String(await plugin.call('echo', 'after')), 'after')
    assert.equal(listeners(controller.signal), 0)
    await plugin.close()
  })

  test('that is none is refused', async () => {
    const plugin = new Plugin(pluginBytes('modern.wat'))
    for (const bad of ['5', {}, true]) await assert.rejects(plugin.call('echo', '', { timeoutMs: bad }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /timeoutMs/ })
    for (const bad of [-1, NaN, -Infinity]) await assert.rejects(plugin.call('echo', '', { timeoutMs: bad }), { name: 'RangeError', code: 'ERR_INVALID_ARG_VALUE', message: /timeoutMs/ })
    await plugin.close()
  })
})

test('cancelHandle().cancel() stops all that runs, or else the one call that is next', async () => {
  const { plugin, question } = holding({ instances: 2 })
  const running = ['a', 'b'].map(text => plugin.call('ask', text))
  const waiting = ['c', 'd'].map(text => plugin.call('echo', text))
  for (const call of running) await question(call)
  assert.equal(plugin.cancelHandle().cancel(), true)
  assert.deepEqual(await outcomes([...running, ...waiting]), ['ERR_EXTISM_CANCELLED', 'ERR_EXTISM_CANCELLED', 'c', 'd'])
  await plugin.close()
  const compiling = new Plugin(pluginBytes('modern.wat'), false, [], undefined, null, { cache: false })
  const calls = [compiling.call('spin'), compiling.call('echo', 'y')]
  assert.equal(compiling.cancelHandle().cancel(), true)
  assert.deepEqual(await outcomes(calls), ['ERR_EXTISM_CANCELLED', 'y'])
  await compiling.close()
})
