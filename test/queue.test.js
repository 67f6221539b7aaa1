import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Plugin } from '../index.js'
import { answering, holding, outcomes, until, watch } from './answering.js'
import { pluginBytes, wat } from './helpers.js'

const texts = count => Array.from({ length: count }, (_, i) => `${i}`)
const FULL = 'ERR_EXTISM_QUEUE_FULL'

describe('maxQueue', () => {
  for (const [maxQueue, instances] of [[0, 1], [1, 1], [10, 1], [0, 3], [2, 3]]) {
    test(`${maxQueue} lets ${maxQueue} calls wait behind those that run on ${instances}, and refuses more`, async () => {
      const { plugin, question } = holding({ maxQueue, instances })
      const running = texts(instances).map(text => plugin.call('ask', text))
      const questions = []
      for (const call of running) questions.push(await question(call))
      const calls = texts(maxQueue + 5).map(text => plugin.call('echo', text))
      // Those that are refused are refused while the others wait.
      assert.deepEqual(await outcomes(calls.slice(maxQueue)), Array(5).fill(FULL))
      assert.equal(plugin.stats().queued, maxQueue)
      for (const { resolve } of questions) resolve()
      assert.deepEqual(await outcomes(running), texts(instances))
      assert.deepEqual(await outcomes(calls.slice(0, maxQueue)), texts(maxQueue))
      assert.deepEqual(plugin.stats().errors, { [FULL]: 5 })
      assert.equal(String(await plugin.call('echo', 'room again')), 'room again')
      await plugin.close()
    })
  }

  test('does not count calls that free instances are about to take', async () => {
    const plugin = answering(text => text, { maxQueue: 0, instances: 4 })
    for (let round = 0; round < 20; round++) {
      assert.deepEqual(await outcomes(texts(4).map(text => plugin.call('echo', text))), texts(4))
    }
    await plugin.close()
  })

  test('is 65,536 by default', async () => {
    const { plugin, question } = holding()
    const running = plugin.call('ask', 'held')
    const { resolve } = await question()
    const waiting = Array.from({ length: 65_536 }, () => plugin.call('echo'))
    await assert.rejects(plugin.call('echo'), { name: 'ExtismError', code: FULL, message: /^Plugin error: .*65536.*maxQueue/ })
    const { queued, active, calls } = plugin.stats()
    assert.deepEqual({ queued, active, calls }, { queued: 65_536, active: 1, calls: 1 })
    resolve()
    await Promise.all([running, ...waiting])
    await plugin.close()
  })

  test('what is none is refused', () => {
    const code = pluginBytes('modern.wat')
    for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 32]) assert.throws(() => new Plugin(code, false, [], undefined, null, { maxQueue: bad }), { name: 'RangeError', message: /maxQueue/ })
    for (const bad of ['1', {}]) assert.throws(() => new Plugin(code, false, [], undefined, null, { maxQueue: bad }), { name: 'TypeError', message: /maxQueue/ })
  })
})

describe('queueTimeoutMs', () => {
  /** The first call makes the instance, and waits for that. */
  async function makeInstance (plugin) {
    while (plugin.stats().instances === 0) await plugin.call('echo').catch(({ code }) => assert.equal(code, 'ERR_EXTISM_QUEUE_TIMEOUT'))
    return plugin.stats().errors.ERR_EXTISM_QUEUE_TIMEOUT ?? 0
  }

  test('fails calls that wait longer, not the one that runs', async () => {
    const { plugin, question } = holding({ queueTimeoutMs: 10, timeout_ms: 60_000 })
    const failed = await makeInstance(plugin)
    const running = plugin.call('ask', 'running')
    const runner = watch(running)
    const { resolve } = await question(running)
    const waiting = texts(20).map(text => plugin.call('echo', text))
    assert.deepEqual(await outcomes(waiting), Array(20).fill('ERR_EXTISM_QUEUE_TIMEOUT'))
    for (let i = 0; i < 30; i++) {
      await assert.rejects(plugin.call('echo'), { name: 'ExtismError', message: /^Plugin error: .*10 ms.*queueTimeoutMs/ })
      assert.equal(runner.settled, false, `call ${i} failed after the one that ran had ended`)
    }
    assert.deepEqual(plugin.stats().errors, { ERR_EXTISM_QUEUE_TIMEOUT: failed + 50 })
    assert.equal(plugin.stats().queued, 0)
    resolve()
    assert.equal(String(await running), 'running')
    assert.equal(String(await plugin.call('echo', 'after')), 'after')
    await plugin.close()
  })

  test('does not hold once a call runs', async () => {
    const { plugin, question } = holding({ queueTimeoutMs: 5_000 })
    const calls = [plugin.call('ask', 'one'), plugin.call('ask', 'two')]
    ;(await question()).resolve()
    ;(await question()).resolve()
    assert.deepEqual(await outcomes(calls), ['one', 'two'])
    const short = answering(text => new Promise(resolve => setTimeout(resolve, 60, text)), { queueTimeoutMs: 20 })
    await makeInstance(short)
    assert.equal(String(await short.call('ask', 'longer than it may wait')), 'longer than it may wait')
    await Promise.all([plugin.close(), short.close()])
  })

  test('0, Infinity and none are any time', async () => {
    for (const queueTimeoutMs of [0, Infinity, Number.MAX_VALUE, undefined, null]) {
      const { plugin, question } = holding({ queueTimeoutMs })
      const calls = [plugin.call('ask', 'a'), plugin.call('echo', 'b')]
      ;(await question()).resolve()
      assert.deepEqual(await outcomes(calls), ['a', 'b'])
      await plugin.close()
    }
  })

  test('what is none is refused', () => {
    const code = pluginBytes('modern.wat')
    for (const bad of [-1, NaN, -Infinity]) assert.throws(() => new Plugin(code, false, [], undefined, null, { queueTimeoutMs: bad }), { name: 'RangeError', message: /queueTimeoutMs/ })
    for (const bad of ['1', {}]) assert.throws(() => new Plugin(code, false, [], undefined, null, { queueTimeoutMs: bad }), { name: 'TypeError', message: /queueTimeoutMs/ })
  })
})

describe('the queue', () => {
  test('is first in, first out', async () => {
    const [asked, settled] = [[], []]
    const plugin = answering(async text => {
      asked.push(text)
      return text
    })
    await Promise.all(texts(1_000).map(text => plugin.call('ask', text).then(output => settled.push(String(output)))))
    assert.deepEqual(asked, texts(1_000))
    assert.deepEqual(settled, texts(1_000))
    await plugin.close()
  })

  for (const instances of [1, 3]) {
    test(`settles 20,000 calls in flight on ${instances} exactly once each`, async () => {
      const plugin = answering(text => text, { instances })
      const repeated = []
      const listener = (...args) => repeated.push(args)
      process.on('multipleResolves', listener)
      const counts = new Uint8Array(20_000)
      await Promise.all(Array.from(counts, async (_, i) => {
        const fails = i % 1_000 === 0
        const outcome = await plugin.call(fails ? 'trap' : 'echo', `${i}`).then(String, error => error.code)
        if (outcome === (fails ? 'ERR_EXTISM_TRAP' : `${i}`)) counts[i]++
      }))
      process.off('multipleResolves', listener)
      assert.ok(counts.every(count => count === 1))
      assert.deepEqual(repeated, [])
      const { calls, queued, errors } = plugin.stats()
      assert.deepEqual({ calls, queued, errors }, { calls: 20_000, queued: 0, errors: { ERR_EXTISM_TRAP: 20 } })
      await plugin.close()
    })
  }

  test('fails as a whole with the reason where no instance can be made', async () => {
    const plugin = new Plugin({ wasm: [{ data: wat('(module (memory 1) (data (i32.const 65536) "beyond") (func (export "run")))') }] }, false, [], undefined, null, { instances: 3 })
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(await outcomes(texts(50).map(() => plugin.call('run'))), Array(50).fill('ERR_EXTISM_INSTANCE'))
    }
    await plugin.close()
  })
})

describe('stats()', () => {
  test('says what a plugin does and has done', async () => {
    const { plugin, question } = holding({ instances: 2 })
    assert.deepEqual(Object.keys(plugin.stats()).sort(), ['active', 'calls', 'errors', 'instances', 'moved', 'queued', 'replaced', 'runMs', 'waitMs'])
    const calls = Promise.allSettled(['a', 'b', 'c'].map(text => plugin.call('ask', text)))
    const [first, second] = [await question(), await question()]
    const running = plugin.stats()
    assert.deepEqual(running, { ...running, calls: 0, errors: {}, active: 2, queued: 1, instances: 2, replaced: 0 })
    first.resolve()
    second.reject(new Error('on purpose'))
    ;(await question()).resolve()
    await calls
    await assert.rejects(plugin.call('trap'), { code: 'ERR_EXTISM_TRAP' })
    const done = plugin.stats()
    assert.deepEqual([done.calls, done.errors, done.active, done.queued], [4, { ERR_EXTISM_HOST_FUNCTION: 1, ERR_EXTISM_TRAP: 1 }, 0, 0])
    await plugin.close()
  })

  test('counts the instance that is made ahead of the first call', async () => {
    const plugin = answering(text => text, { instances: 4 })
    await until(() => plugin.stats().instances === 1)
    await plugin.call('echo')
    assert.equal(plugin.stats().instances, 1)
    await plugin.close()
  })

  test('counts calls that a worker thread ran, be it in part', async () => {
    const plugin = answering(text => text)
    // The first call may wait for its instance to be made.
    await plugin.call('echo')
    const { moved } = plugin.stats()
    await assert.rejects(plugin.call('spin', '', { timeoutMs: 50 }), { code: 'ERR_EXTISM_TIMEOUT' })
    assert.equal(plugin.stats().moved, moved + 1)
    const waiting = answering(text => new Promise(resolve => setTimeout(resolve, 20, text)), { instances: 4 })
    await Promise.all(texts(20).map(text => waiting.call('ask', text)))
    assert.ok(waiting.stats().moved <= 10, `${waiting.stats().moved} of 20 calls that wait moved`)
    await waiting.close()
    await plugin.close()
  })

  test('has the median and the 99th percentile of running and of waiting, in milliseconds', async () => {
    const plugin = answering(text => new Promise(resolve => setTimeout(resolve, 20, text)))
    assert.deepEqual(plugin.stats().runMs, { p50: 0, p99: 0 })
    await Promise.all([plugin.call('ask'), plugin.call('ask')])
    const { runMs, waitMs } = plugin.stats()
    // Timers may be a millisecond early.
    assert.ok(runMs.p50 >= 18 && runMs.p99 >= runMs.p50, `${runMs.p50} ${runMs.p99}`)
    assert.ok(waitMs.p99 >= 18 && waitMs.p99 >= waitMs.p50, `${waitMs.p50} ${waitMs.p99}`)
    await plugin.close()
  })
})
