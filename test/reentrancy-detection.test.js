import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { readFile } from 'node:fs/promises'
import { answering, codes, failing, outcomes } from './answering.js'
import { KNOWS_AFTER_AWAIT, signal } from './helpers.js'

const REENTRANT = 'ERR_EXTISM_REENTRANT'

/**
 * What fails a call that a host function makes after an await, of a plugin that waits for that host
 * function, if the plugin has a `queueTimeoutMs`. Where nobody knows who calls, the call waits.
 */
const AFTER_AWAIT = KNOWS_AFTER_AWAIT ? REENTRANT : 'ERR_EXTISM_QUEUE_TIMEOUT'

/** A plugin with its instance made, whose calls wait 50 ms for it. */
async function impatient (f, options) {
  const plugin = answering(f, { queueTimeoutMs: 50, timeout_ms: 5_000, ...options })
  while (plugin.stats().instances === 0) await plugin.call('echo').catch(({ code }) => assert.equal(code, 'ERR_EXTISM_QUEUE_TIMEOUT'))
  return plugin
}

describe('a call that a host function makes of its own plugin is detected', () => {
  test('in its synchronous part, by way of another plugin, and of two', async () => {
    for (const length of [1, 2]) {
      const plugins = []
      for (let i = 0; i <= length; i++) {
        plugins.push(answering(async text => {
          const next = plugins[(i + 1) % plugins.length]
          return String(await next.call('ask', text))
        }, { timeout_ms: 5_000 }))
      }
      const hosts = Array(length + 1).fill('ERR_EXTISM_HOST_FUNCTION')
      assert.deepEqual(codes(await failing(plugins[0].call('ask'))), [...hosts, REENTRANT])
      for (const plugin of plugins) {
        assert.equal(String(await plugin.call('echo', 'usable')), 'usable')
        await plugin.close()
      }
    }
  })

  test('in an event, a getter and a callback that run in its synchronous part', async () => {
    const call = text => plugin.call('echo', text).catch(error => error.code)
    const ways = {
      event: text => {
        let called
        new EventEmitter().once('event', () => { called = call(text) }).emit('event')
        return called
      },
      getter: text => ({ get called () { return call(text) } }).called,
      callback: text => Promise.all([text].map(call)).then(String),
      executor: text => new Promise(resolve => resolve(call(text)))
    }
    const plugin = answering(text => ways[text](text))
    for (const way of Object.keys(ways)) assert.equal(String(await plugin.call('ask', way)), REENTRANT)
    await plugin.close()
  })

  test('in its synchronous part, once it has called another plugin synchronously', async () => {
    const other = answering(text => text)
    const plugin = answering(text => {
      other.callSync('ask', text)
      return plugin.call('echo', text).catch(error => error.code)
    })
    assert.equal(String(await plugin.call('ask')), REENTRANT)
    await Promise.all([plugin.close(), other.close()])
  })

  const WAYS = {
    'after a timer': () => new Promise(resolve => setTimeout(resolve, 1)),
    'after setImmediate': () => new Promise(setImmediate),
    'after process.nextTick': () => new Promise(resolve => process.nextTick(resolve)),
    'after queueMicrotask': () => new Promise(resolve => queueMicrotask(resolve)),
    'after reading a file': () => readFile(new URL(import.meta.url)),
    'after many promises': async () => { for (let i = 0; i < 100; i++) await null },
    'after an event of an emitter': () => new Promise(resolve => new EventEmitter().once('event', resolve).emit('event')),
    'after another plugin was called': () => new Promise(resolve => setImmediate(resolve)).then(() => other.call('echo', 'x'))
  }
  const other = answering(text => text)
  for (const [name, way] of Object.entries(WAYS)) {
    test(`or else times out in the queue, ${name}`, async () => {
      const plugin = await impatient(async text => {
        await way()
        return String(await plugin.call('echo', text))
      })
      assert.deepEqual(codes(await failing(plugin.call('ask'))), ['ERR_EXTISM_HOST_FUNCTION', AFTER_AWAIT])
      await plugin.close()
    })
  }

  test('or else times out in the queue, by way of another plugin, and of two, after an await', async () => {
    for (const length of [1, 2]) {
      const plugins = []
      for (let i = 0; i <= length; i++) {
        plugins.push(await impatient(async text => {
          await new Promise(setImmediate)
          const next = plugins[(i + 1) % plugins.length]
          return String(await next.call('ask', text))
        }))
      }
      const hosts = Array(length + 1).fill('ERR_EXTISM_HOST_FUNCTION')
      assert.deepEqual(codes(await failing(plugins[0].call('ask'))), [...hosts, AFTER_AWAIT])
      for (const plugin of plugins) {
        assert.equal(String(await plugin.call('echo', 'usable')), 'usable')
        await plugin.close()
      }
    }
  })

  test('by way of another plugin that is called synchronously', async () => {
    const calls = []
    const plugin = answering(text => String(between.callSync('ask', text)), { timeout_ms: 5_000 })
    const between = answering(text => {
      calls.push(plugin.call('echo', text).catch(error => error.code))
      return text
    })
    assert.equal(String(await plugin.call('ask', 'x')), 'x')
    assert.deepEqual(await outcomes(calls), [REENTRANT])
    await Promise.all([plugin.close(), between.close()])
  })

  test('by way of another plugin whose call was queued behind others', async () => {
    const [released, release] = signal()
    const [called, call] = signal()
    const between = answering(async text => {
      if (text === 'first') return released
      return String(await plugin.call('echo', text))
    }, { timeout_ms: 5_000 })
    const plugin = answering(async text => {
      const inner = between.call('ask', text)
      call()
      return String(await inner)
    }, { timeout_ms: 5_000 })
    const first = between.call('ask', 'first')
    const outer = failing(plugin.call('ask', 'second'))
    await called
    release('first')
    assert.equal(String(await first), 'first')
    assert.deepEqual(codes(await outer), ['ERR_EXTISM_HOST_FUNCTION', 'ERR_EXTISM_HOST_FUNCTION', REENTRANT])
    await Promise.all([plugin.close(), between.close()])
  })
})
