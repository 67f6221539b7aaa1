import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { HostFunction, Plugin, createPlugin } from '../index.js'
import { asText, guest, prints } from './helpers.js'

const CODE = guest(`
  (global $calls (mut i32) (i32.const 0))
  (func (export "ask") (call $answer) (call $log_info (call $input)) (call $give (call $input)))
  (func (export "echo") (call $give (call $input)))
  (func (export "count") (local $block i64)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (local.set $block (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $block) (i64.extend_i32_u (global.get $calls)))
    (call $give (local.get $block)))
  (func (export "work") (local $i i64)
    (loop $again (br_if $again (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const 200000)))))`, {
  user: '(import USER "answer" (func $answer))'
})

const APIS = {
  Plugin: (answer = () => {}, options = {}) => new Plugin({ wasm: [{ data: CODE }] }, false, [new HostFunction('answer', [], [], () => answer())], undefined, null, options),
  createPlugin: (answer = () => {}, options = {}) => createPlugin(CODE, { functions: { 'extism:host/user': { answer: () => answer() } }, ...options })
}

function deferred () {
  const made = {}
  made.promise = new Promise(resolve => { made.resolve = resolve })
  return made
}

for (const [api, make] of Object.entries(APIS)) {
  describe(`call() of ${api}`, () => {
    const opened = async (t, answer, options) => {
      const plugin = await make(answer, options)
      t.after(() => plugin.close())
      // So that its instance is there.
      await plugin.call('echo', 'x')
      return plugin
    }

    test('runs no host function and no logger before it has returned, nor before what the caller does next', async t => {
      const order = []
      const logger = { info: text => order.push(`logs ${text}`) }
      const plugin = await opened(t, () => { order.push('host function') }, api === 'Plugin' ? {} : { logger, logLevel: 'info' })
      const call = plugin.call('ask', 'x')
      order.push('returned')
      process.nextTick(() => order.push('tick'))
      Promise.resolve().then(() => order.push('microtask'))
      await call
      order.push('settled')
      assert.equal(order[0], 'returned')
      assert.deepEqual(order.slice(1, 3).sort(), ['microtask', 'tick'])
      assert.deepEqual(order.slice(3), ['host function', ...api === 'Plugin' ? [] : ['logs x'], 'settled'])
    })

    test('runs the calls of a turn of the event loop together, at its end', async t => {
      let order
      const plugin = await opened(t, () => { order.push('host function') })
      const round = async () => {
        order = []
        const calls = []
        await new Promise(resolve => setTimeout(() => {
          calls.push(plugin.call('ask', 'a'))
          process.nextTick(() => calls.push(plugin.call('ask', 'b')))
          Promise.resolve().then(() => calls.push(plugin.call('ask', 'c')))
          setImmediate(() => { order.push('next immediate'); resolve() })
        }))
        await Promise.all(calls)
      }
      // On a busy machine a call may use up the budget of its turn, or move to a worker thread.
      for (let i = 0; i < 50 && order?.at(-1) !== 'next immediate'; i++) await round()
      assert.deepEqual(order, ['host function', 'host function', 'host function', 'next immediate'])
    })

    test('runs a call that follows another before the event loop turns', async t => {
      const plugin = await opened(t)
      let turned = true
      // The budget of the turn may be used up, on a busy machine.
      for (let i = 0; i < 50 && turned; i++) {
        await plugin.call('echo', 'x')
        turned = false
        setImmediate(() => { turned = true })
        await plugin.call('echo', 'x')
      }
      assert.equal(turned, false)
    })

    test('lets the event loop turn while calls follow each other, also where all are refused', async t => {
      const answered = deferred()
      const plugin = await opened(t, () => answered.promise, { maxQueue: 0 })
      const follow = async () => {
        let turned = false
        setImmediate(() => { turned = true })
        let calls = 0
        for (; !turned; calls++) await plugin.call('echo', 'x').catch(error => assert.equal(error.code, 'ERR_EXTISM_QUEUE_FULL'))
        return calls
      }
      assert.ok(await follow() > 0)
      const waiting = plugin.call('ask', 'x')
      assert.ok(await follow() > 0)
      answered.resolve()
      await waiting
    })

    test('settles the calls of one instance in the order in which they were made, and so runs them', async t => {
      const plugin = await opened(t)
      const numbers = []
      await Promise.all(Array.from({ length: 500 }, async () => {
        const output = await plugin.call('count')
        numbers.push(Number(Buffer.from(output.buffer, output.byteOffset, 8).readBigUInt64LE()))
      }))
      assert.deepEqual(numbers, Array.from({ length: 500 }, (_, i) => i + 1))
    })

    test('keeps that order where some calls are long, and some wait for host functions', async t => {
      const plugin = await opened(t, () => new Promise(resolve => setTimeout(resolve, 1)))
      const settled = []
      const names = ['echo', 'ask', 'echo', 'work', 'echo']
      await Promise.all(Array.from({ length: 50 }, (_, i) => plugin.call(names[i % 5], `${i}`).then(() => settled.push(i))))
      assert.deepEqual(settled, Array.from({ length: 50 }, (_, i) => i))
    })

    test('lets timers and Immediates have their turn, however many calls wait', async t => {
      const plugin = await opened(t)
      let turns = 0
      let over = false
      const turn = () => {
        turns++
        if (!over) setImmediate(turn)
      }
      setImmediate(turn)
      const calls = Array.from({ length: 1_000 }, () => plugin.call('work'))
      let fired
      setTimeout(() => { fired = plugin.stats().calls })
      await Promise.all(calls)
      over = true
      assert.ok(turns > 5, `${turns} turns`)
      assert.ok(fired < 900, `the timer had to wait for ${fired} calls`)
    })

    test('lets them have their turn in a loop that awaits one call after another', async t => {
      const plugin = await opened(t)
      let fired = 0
      const timer = setInterval(() => { fired++ }, 1)
      const end = performance.now() + 200
      let calls = 0
      while (performance.now() < end) {
        await plugin.call('echo', 'x')
        calls++
      }
      clearInterval(timer)
      assert.ok(fired >= 20 && calls > 100, `${fired} times, ${calls} calls`)
    })

    test('that a host function makes of another plugin is one of the next turn', async t => {
      const order = []
      const other = await opened(t, () => { order.push('other') })
      const plugin = await opened(t, async () => {
        order.push('before')
        const call = other.call('ask', 'x')
        order.push('after')
        await call
        order.push('ended')
      })
      await plugin.call('ask', 'x')
      assert.deepEqual(order, ['before', 'after', 'other', 'ended'])
    })
  })
}

test('callSync runs at once, before calls that wait for the end of the turn', async t => {
  const plugin = await APIS.createPlugin(() => {}, { instances: 2 })
  t.after(() => plugin.close())
  await plugin.call('echo', 'x')
  const order = []
  const call = plugin.call('echo', 'x').then(() => order.push('call'))
  order.push(`callSync ${asText(plugin.callSync('echo', 'y'))}`)
  await call
  assert.deepEqual(order, ['callSync y', 'call'])
})

test('a call is made from the turn that ends the process as well', () => prints(`
  const plugin = new Plugin(pluginBytes('modern.wat'))
  process.once('beforeExit', () => plugin.call('echo', 'late').then(output => console.log(String(output))))`, 'late'))

test('what a call settles with runs in the context of whoever awaits it', async t => {
  const storage = new AsyncLocalStorage()
  const plugin = await APIS.createPlugin()
  t.after(() => plugin.close())
  const seen = await Promise.all(['A', 'B'].map(who => storage.run(who, async () => {
    await plugin.call('echo', 'x')
    return storage.getStore()
  })))
  assert.deepEqual(seen, ['A', 'B'])
})
