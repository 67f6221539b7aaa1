import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { HostFunction, Plugin, ValType, createPlugin } from '../index.js'
import { guest, prints } from './helpers.js'

const USER = 'extism:host/user'
const { I64 } = ValType

const CODE = guest(`
  (data (i32.const 0) "text")
  (func (export "ask") (drop (call $ask (call $input))))
  (func (export "log") (call $log_info (call $input)))
  (func (export "spin_and_log") (local $i i64)
    (loop $again (br_if $again (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const 50000000))))
    (call $log_info (call $input)))
  (func (export "fetch") (drop (call $http (call $input) (i64.const 0))))
  (func (export "echo") (call $give (call $input)))`, {
  user: '(import USER "ask" (func $ask (param i64) (result i64))) (import "extism:host/env" "http_request" (func $http (param i64 i64) (result i64)))'
})

const storage = new AsyncLocalStorage()
const CALLERS = ['A', 'B', 'C', 'D']

/** A plugin, and what the storage had in what it called, and when its calls were over. */
async function watched (t, { wait = () => {}, ...options } = {}) {
  const seen = []
  const note = what => seen.push(`${what} ${storage.getStore()}`)
  const plugin = await createPlugin(CODE, {
    functions: {
      [USER]: {
        ask: async () => {
          note('before')
          await wait()
          note('after')
          return 0n
        }
      }
    },
    logger: { info: () => note('logger') },
    logLevel: 'info',
    allowedHosts: ['a.invalid'],
    fetch: async () => {
      note('fetch')
      return new Response('x')
    },
    ...options
  })
  t.after(() => plugin.close())
  const calls = (name, input = 'x') => Promise.all(CALLERS.map(who => storage.run(who, async () => {
    await plugin.call(name, input)
    note('over')
  })))
  return { plugin, seen, calls }
}

const each = (...whats) => CALLERS.flatMap(who => whats.map(what => `${what} ${who}`)).sort()

describe('an AsyncLocalStorage has what it had where the plugin was called', () => {
  for (const instances of [1, 4]) {
    test(`in host functions of ${instances} instances, before and after an await, and where the call is awaited`, async t => {
      for (const wait of [() => {}, () => new Promise(setImmediate), () => new Promise(resolve => setTimeout(resolve, 5))]) {
        const { seen, calls } = await watched(t, { instances, wait })
        await calls('ask')
        assert.deepEqual(seen.sort(), each('before', 'after', 'over'))
      }
    })

    test(`in the logger, with ${instances} instances`, async t => {
      const { seen, calls } = await watched(t, { instances })
      await calls('log')
      assert.deepEqual(seen.sort(), each('logger', 'over'))
    })
  }

  test('in the logger of a call that moved to a worker thread', async t => {
    const { plugin, seen, calls } = await watched(t)
    await calls('spin_and_log')
    assert.deepEqual(seen.sort(), each('logger', 'over'))
    assert.ok(plugin.stats().moved > 0)
  })

  test('in the host functions and the logger of a plugin that runs on worker threads alone', async t => {
    const { seen, calls } = await watched(t, { runInWorker: true, maxQueue: 10 })
    await calls('ask')
    await calls('log')
    assert.deepEqual(seen.sort(), [...each('before', 'after', 'over'), ...each('logger', 'over')].sort())
  })

  test('in fetch', async t => {
    const { seen, calls } = await watched(t)
    await calls('fetch', '{"url":"http://a.invalid/"}')
    assert.deepEqual(seen.sort(), each('fetch', 'over'))
  })

  test('in callSync', async t => {
    const seen = []
    const note = what => seen.push(`${what} ${storage.getStore()}`)
    const { plugin } = await watched(t, { logger: { info: () => note('logger') }, functions: { [USER]: { ask: () => void note('ask') } } })
    storage.run('A', () => {
      plugin.callSync('ask')
      plugin.callSync('log')
    })
    assert.deepEqual(seen, ['ask A', 'logger A'])
  })

  test('in the host functions of the API of 2023', async t => {
    const seen = []
    const ask = new HostFunction('ask', [I64], [I64], async (current, inputs, outputs) => {
      seen.push(storage.getStore())
      await null
      seen.push(storage.getStore())
      outputs[0].v.i64 = 0
    })
    const plugin = new Plugin(CODE, false, [ask])
    t.after(() => plugin.close())
    await Promise.all(CALLERS.map(who => storage.run(who, () => plugin.call('ask', 'x'))))
    assert.deepEqual(seen.sort(), CALLERS.flatMap(who => [who, who]))
  })

  test('in the start code of a plugin, what it had where that was made', async t => {
    const seen = []
    const code = guest('(func $start (call $ask)) (start $start) (func (export "run"))', { user: '(import USER "ask" (func $ask))' })
    await Promise.all(CALLERS.map(who => storage.run(who, async () => {
      const plugin = await createPlugin(code, { functions: { [USER]: { ask: () => void seen.push(storage.getStore()) } } })
      t.after(() => plugin.close())
    })))
    assert.deepEqual(seen.sort(), CALLERS)
  })

  test('in nothing that comes after it, and none in a call without one', async t => {
    const { seen, plugin, calls } = await watched(t)
    await calls('ask')
    seen.length = 0
    await plugin.call('ask')
    await plugin.call('log')
    assert.deepEqual(seen, ['before undefined', 'after undefined', 'logger undefined'])
  })
})

test('a plugin turns on no async hooks: an await costs what it cost', () => prints(`
  const code = guest('(func (export "run") (call $f))', { user: '(import USER "f" (func $f))' })
  const plugin = await createPlugin(code, { functions: { 'extism:host/user': { f: async () => {} } } })
  await plugin.call('run')
  // With hooks, each promise has the resource that its hooks were told of.
  const { executionAsyncId } = await import('node:async_hooks')
  console.log(new Set(await Promise.all([1, 2, 3].map(async () => { await null; return executionAsyncId() }))).size)
  await plugin.close()`, '1'))
