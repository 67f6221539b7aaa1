import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Context, Plugin } from '../index.js'
import { answering, holding, outcomes, until, watch } from './answering.js'
import { pluginBytes, signal } from './helpers.js'

/** Inputs that differ, and so do the outputs of calls that echo them. */
const texts = (count, prefix = '') => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

const echoes = (plugin, inputs) => outcomes(inputs.map(text => plugin.call('echo', text)))

describe('instances', () => {
  for (const instances of [2, 4, 16]) {
    test(`${instances} run ${instances} calls at the same time`, async () => {
      const [met, meet] = signal()
      let arrived = 0
      const plugin = answering(async text => {
        if (++arrived === instances) meet()
        await met
        return text
      }, { instances })
      assert.deepEqual(await outcomes(texts(instances).map(text => plugin.call('ask', text))), texts(instances))
      assert.equal(plugin.stats().instances, instances)
      await plugin.close()
    })
  }

  test('never run more calls than there are of them', async () => {
    for (const instances of [1, 3]) {
      let [active, most] = [0, 0]
      const plugin = answering(async text => {
        most = Math.max(most, ++active)
        await new Promise(setImmediate)
        active--
        return text
      }, { instances })
      assert.deepEqual(await outcomes(texts(100).map(text => plugin.call('ask', text))), texts(100))
      assert.ok(most <= instances, `${most} at a time on ${instances}`)
      await plugin.close()
    }
  })

  test('are one by default, which runs calls in order and keeps its state', async () => {
    const asked = []
    const plugin = answering(async text => { asked.push(text) })
    const counts = []
    for (const text of texts(9)) {
      plugin.call('ask', text)
      counts.push(plugin.call('count'))
    }
    assert.deepEqual(await outcomes(counts), ['1', '2', '3', '4', '5', '6', '7', '8', '9'])
    assert.deepEqual(asked, texts(9))
    assert.equal(plugin.stats().instances, 1)
    await plugin.close()
  })

  test('each have a state of their own', async () => {
    const { plugin, question } = holding({ instances: 2 })
    assert.equal(String(await plugin.call('count')), '1')
    const held = plugin.call('ask', 'held')
    const { resolve } = await question()
    const counts = [String(await plugin.call('count')), String(await plugin.call('count'))]
    resolve()
    assert.equal(String(await held), 'held')
    // The first call may have run on either.
    assert.ok(['1,2', '2,3'].includes(counts.join()), counts.join())
    await plugin.close()
  })

  test('are an option of every way to make a plugin', async () => {
    const code = pluginBytes('modern.wat')
    const options = { instances: 1025 }
    const refused = { name: 'RangeError', code: 'ERR_INVALID_ARG_VALUE', message: /instances must be an integer from 1 to 1024; got 1025/ }
    const plugin = new Plugin(code)
    assert.throws(() => new Plugin(code, false, [], undefined, null, options), refused)
    assert.throws(() => new Context().plugin(code, false, [], undefined, options), refused)
    assert.throws(() => plugin.update(code, false, [], undefined, options), refused)
    await assert.rejects(Plugin.create(code, false, [], undefined, null, options), refused)
    for (const bad of [0, -1, 1.5, NaN, Infinity]) assert.throws(() => new Plugin(code, false, [], undefined, null, { instances: bad }), { name: 'RangeError' })
    for (const bad of ['2', {}, true]) assert.throws(() => new Plugin(code, false, [], undefined, null, { instances: bad }), { name: 'TypeError' })
    for (const bad of [5, 'two', true]) assert.throws(() => new Plugin(code, false, [], undefined, null, bad), { name: 'TypeError', message: /options must be an object/ })
    for (const none of [undefined, null, {}, { instances: undefined, maxQueue: null }]) new Plugin(code, false, [], undefined, null, none).free()
    assert.equal(String(await plugin.call('echo', 'still there')), 'still there')
    await plugin.close()
  })
})

describe('a call that spins on one of four instances', () => {
  const ENDS = {
    'into its timeout': () => [{ timeoutMs: 1_500 }, { code: 'ERR_EXTISM_TIMEOUT' }],
    'into an AbortSignal.timeout': () => [{ signal: AbortSignal.timeout(1_500) }, { code: 'ABORT_ERR' }],
    'until its signal is aborted': () => {
      const controller = new AbortController()
      return [{ signal: controller.signal }, { code: 'ABORT_ERR' }, () => controller.abort()]
    },
    'until cancelHandle().cancel()': plugin => [{}, { code: 'ERR_EXTISM_CANCELLED' }, () => assert.equal(plugin.cancelHandle().cancel(), true)]
  }
  for (const [name, how] of Object.entries(ENDS)) {
    test(`${name} leaves 1,000 calls on the others alone`, async () => {
      const [started, start] = signal()
      const plugin = answering(start, { instances: 4 })
      const [options, error, end] = how(plugin)
      const spinning = plugin.call('spin', '', options)
      const spinner = watch(spinning)
      const rejected = assert.rejects(spinning, error)
      await started
      assert.deepEqual(await echoes(plugin, texts(1_000)), texts(1_000))
      assert.equal(spinner.settled, false)
      end?.()
      await rejected
      assert.deepEqual(await echoes(plugin, texts(100, 'after ')), texts(100, 'after '))
      const { calls, errors } = plugin.stats()
      assert.equal(calls, 1_101)
      assert.equal(Object.values(errors).reduce((sum, count) => sum + count), 1)
      await until(() => plugin.stats().replaced === 1)
      await plugin.close()
    })
  }

  test('is ended by its signal while calls are in flight on the others, none of which is lost', async () => {
    const [started, start] = signal()
    const plugin = answering(start, { instances: 4 })
    const controller = new AbortController()
    const rejected = assert.rejects(plugin.call('spin', '', { signal: controller.signal }), { code: 'ABORT_ERR' })
    await started
    const calls = echoes(plugin, texts(1_000))
    controller.abort()
    assert.deepEqual(await calls, texts(1_000))
    await rejected
    await plugin.close()
  })

  test('into its timeout ends no neighbour, whether that works, waits or has no timeout, in 10 rounds', async () => {
    const { plugin, question } = holding({ instances: 4, timeout_ms: 0 })
    for (let round = 1; round <= 10; round++) {
      const waiting = plugin.call('ask', 'waiting')
      const held = await question()
      const spinning = plugin.call('spin', 'spinning', { timeoutMs: 40 })
      const spinner = await question()
      const working = []
      const work = async () => {
        while (!watched.settled) working.push(String(await plugin.call('work', 'worked')))
      }
      const watched = watch(spinning)
      const rejected = assert.rejects(spinning, { code: 'ERR_EXTISM_TIMEOUT', message: /40 ms/ })
      spinner.resolve()
      await Promise.all([rejected, work(), work()])
      held.resolve()
      assert.equal(String(await waiting), 'waiting')
      assert.ok(working.length > 0 && working.every(output => output === 'worked'), working.join())
      await until(() => plugin.stats().replaced === round)
      assert.deepEqual(plugin.stats().errors, { ERR_EXTISM_TIMEOUT: round })
    }
    await plugin.close()
  })
})

describe('an instance that broke', () => {
  const BREAKS = {
    'by a trap': [plugin => plugin.call('trap'), 'ERR_EXTISM_TRAP'],
    'by a timeout': [plugin => plugin.call('spin', 'go on', { timeoutMs: 20 }), 'ERR_EXTISM_TIMEOUT'],
    'by a host function that throws': [plugin => plugin.call('ask', 'throw'), 'ERR_EXTISM_HOST_FUNCTION']
  }
  for (const [name, [broken, code]] of Object.entries(BREAKS)) {
    test(`${name} is replaced while the other one serves`, async () => {
      const [held, hold] = signal()
      const [released, release] = signal()
      const plugin = answering(text => {
        if (text === 'throw') throw new Error('on purpose')
        if (text !== 'hold') return text
        hold()
        return released
      }, { instances: 2 })
      const holding = plugin.call('ask', 'hold')
      const holder = watch(holding)
      await held
      for (let i = 1; i <= 5; i++) {
        assert.equal(String(await plugin.call('count')), '1')
        await assert.rejects(broken(plugin), { code })
        assert.deepEqual(await echoes(plugin, texts(20)), texts(20))
        assert.equal(plugin.stats().replaced, i)
      }
      assert.equal(holder.settled, false)
      assert.equal(plugin.stats().instances, 2)
      assert.equal(plugin.stats().active, 1)
      release('released')
      assert.equal(String(await holding), 'released')
      await plugin.close()
    })
  }

  test('is replaced among 1,000 calls of which every tenth breaks one', async () => {
    const plugin = answering(text => text, { instances: 4 })
    const expected = texts(1_000).map((text, i) => i % 10 === 0 ? 'ERR_EXTISM_TRAP' : text)
    assert.deepEqual(await outcomes(texts(1_000).map((text, i) => plugin.call(i % 10 === 0 ? 'trap' : 'echo', text))), expected)
    const { calls, errors, instances } = plugin.stats()
    assert.deepEqual({ calls, errors }, { calls: 1_000, errors: { ERR_EXTISM_TRAP: 100 } })
    assert.ok(instances <= 4)
    await until(() => plugin.stats().replaced === 100)
    await plugin.close()
    assert.throws(() => plugin.stats(), { code: 'ERR_EXTISM_CLOSED' })
  })
})
