import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { signal } from '../helpers.js'
import { asking, said, saying, textOf } from './making.js'

const REENTRANT = { name: 'ExtismError', code: 'ERR_EXTISM_REENTRANT', message: 'plugin is not reentrant' }

/** A plugin whose `ask` waits, and what says that so many wait, and lets them go on. */
async function waiting (t, options, count = 1) {
  const [started, start] = signal()
  const [released, release] = signal()
  const plugin = await asking(t, async (context, address) => {
    if (--count === 0) start()
    await released
    return address
  }, options)
  return { plugin, started, release }
}

describe('calls of one plugin at the same time', () => {
  test('run one after another, in order', async t => {
    const plugin = await asking(t)
    const calls = Array.from({ length: 9 }, () => textOf(plugin.call('count')))
    assert.equal((await Promise.all(calls)).join(''), '123456789')
  })

  test('run next to each other on several instances', async t => {
    const { plugin, started, release } = await waiting(t, { instances: 3 }, 3)
    const calls = ['a', 'b', 'c'].map(input => textOf(plugin.call('ask', input)))
    await started
    assert.equal(plugin.stats().active, 3)
    release()
    assert.deepEqual(await Promise.all(calls), ['a', 'b', 'c'])
  })

  test('that are more than maxQueue are refused', async t => {
    const { plugin, started, release } = await waiting(t, { maxQueue: 1 })
    const calls = [plugin.call('ask', '1'), plugin.call('ask', '2')]
    await started
    await assert.rejects(plugin.call('ask', '3'), { code: 'ERR_EXTISM_QUEUE_FULL' })
    release()
    assert.deepEqual(await Promise.all(calls.map(textOf)), ['1', '2'])
  })

  test('that wait longer than queueTimeoutMs are refused', async t => {
    const { plugin, started, release } = await waiting(t, { queueTimeoutMs: 20 })
    const call = plugin.call('ask', '1')
    await started
    await assert.rejects(plugin.call('ask', '2'), { code: 'ERR_EXTISM_QUEUE_TIMEOUT' })
    release()
    assert.equal(await textOf(call), '1')
  })

  test('leave the event loop free', async t => {
    const plugin = await asking(t)
    const controller = new AbortController()
    const call = plugin.call('spin', '', null, { signal: controller.signal })
    await new Promise(setImmediate)
    controller.abort()
    await assert.rejects(call, { name: 'AbortError' })
  })
})

describe('runInWorker: true', () => {
  test('rejects a call of a busy plugin, and serves again when it is done', async t => {
    const { plugin, started, release } = await waiting(t, { runInWorker: true })
    const call = plugin.call('ask', '1')
    await started
    for (let i = 0; i < 3; i++) await assert.rejects(plugin.call('echo', 'x'), REENTRANT)
    release()
    assert.equal(await textOf(call), '1')
    assert.equal(await textOf(plugin.call('echo', 'again')), 'again')
  })

  test('rejects at once, even before the first call has begun', async t => {
    const plugin = await asking(t, undefined, { runInWorker: true })
    for (let i = 0; i < 50; i++) {
      const [first, second] = await Promise.allSettled([plugin.call('echo', '1'), plugin.call('echo', '2')])
      assert.equal(first.value.text(), '1')
      assert.equal(second.reason?.message, REENTRANT.message)
    }
  })

  test('takes calls one after another, also right after a failure', async t => {
    const plugin = await asking(t, undefined, { runInWorker: true, timeoutMs: 50 })
    for (let i = 0; i < 20; i++) assert.equal(await textOf(plugin.call('echo', `${i}`)), `${i}`)
    for (const name of ['trap', 'refuse', 'spin', 'absent']) {
      await assert.rejects(plugin.call(name, 'x'), error => error.code !== REENTRANT.code)
      assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
    }
  })

  test('has a queue where maxQueue wants one', async t => {
    const plugin = await asking(t, undefined, { runInWorker: true, maxQueue: 5 })
    assert.deepEqual(await Promise.all([textOf(plugin.call('echo', '1')), textOf(plugin.call('echo', '2'))]), ['1', '2'])
  })
})

describe('a host function', () => {
  for (const runInWorker of [false, true]) {
    test(`cannot call its own plugin, runInWorker: ${runInWorker}`, async t => {
      const plugin = await asking(t, async () => {
        await plugin.call('echo', 'inner')
        return 0n
      }, { runInWorker })
      await assert.rejects(plugin.call('ask'), REENTRANT)
      assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
    })
  }

  test('can find that out, and go on', async t => {
    const plugin = await asking(t, async context => {
      await assert.rejects(plugin.call('echo', 'inner'), REENTRANT)
      return context.store('went on')
    })
    assert.equal(await textOf(plugin.call('ask')), 'went on')
  })

  test('can call it where another instance is free', async t => {
    const plugin = await asking(t, async context => context.store(await textOf(plugin.call('echo', 'inner'))), { instances: 2 })
    assert.equal(await textOf(plugin.call('ask')), 'inner')
  })

  test('can call it with callSync no more than otherwise', async t => {
    const plugin = await asking(t, () => {
      plugin.callSync('echo', 'inner')
      return 0n
    })
    await assert.rejects(plugin.call('ask'), { name: 'ExtismError', code: 'ERR_EXTISM_BUSY' })
  })

  test('can call other plugins, and make some', async t => {
    const other = await asking(t)
    const plugin = await asking(t, async context => context.store(await textOf(other.call('echo', 'a')) + other.callSync('echo', 'b').text() + await said(saying('c'))))
    assert.equal(await textOf(plugin.call('ask')), 'abc')
  })

  test('is asked for each plugin by itself', async t => {
    const plugins = await Promise.all(['a', 'b', 'c'].map(name => asking(t, async context => context.store(name))))
    assert.deepEqual(await Promise.all(plugins.map(plugin => textOf(plugin.call('ask')))), ['a', 'b', 'c'])
  })
})

describe('cache', () => {
  test('may be off, or on', async () => {
    assert.equal(await said(saying('cold'), { cache: false }), 'cold')
    assert.equal(await said(saying('warm'), { cache: true }), 'warm')
  })
})
