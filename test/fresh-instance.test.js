import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin, createPlugin } from '../index.js'
import { asText, guest, signal } from './helpers.js'

/**
 * `count` gives what a global, the memory, a table and a variable have counted, and the address of
 * its first block. `start` is how often start code has run in this instance.
 */
const CODE = guest(`
  (data (i32.const 0) "name")
  (table $table 1 10 funcref)
  (global $calls (mut i32) (i32.const 0)) (global $starts (mut i32) (i32.const 0))
  (func $start (global.set $starts (i32.add (global.get $starts) (i32.const 1))) (call $started)) (start $start)
  (func $digit (param $block i64) (param $at i64) (param $digit i32)
    (call $store_u8 (i64.add (local.get $block) (local.get $at)) (i32.add (i32.const 48) (local.get $digit))))
  (func (export "count") (local $block i64)
    (local.set $block (call $alloc (i64.const 8)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))
    (drop (table.grow $table (ref.null func) (i32.const 1)))
    (drop (memory.grow (i32.const 1)))
    (call $digit (local.get $block) (i64.const 0) (global.get $calls))
    (call $digit (local.get $block) (i64.const 1) (i32.load (i32.const 64)))
    (call $digit (local.get $block) (i64.const 2) (table.size $table))
    (call $digit (local.get $block) (i64.const 3) (memory.size))
    (call $digit (local.get $block) (i64.const 4) (global.get $starts))
    (call $digit (local.get $block) (i64.const 5) (i64.ne (call $var_get (call $name)) (i64.const 0)))
    (call $digit (local.get $block) (i64.const 6) (i32.const 0))
    (call $digit (local.get $block) (i64.const 7) (i32.const 0))
    (call $var_set (call $name) (call $alloc (i64.const 1)))
    (call $give (local.get $block)))
  (func $name (result i64) (call $put (i32.const 0) (i32.const 4)))
  (func (export "echo") (call $give (call $input)))
  (func (export "ask") (call $answer) (call $give (call $input)))
  (func (export "refuse") (result i32) (call $fail (call $input)))
  (func (export "trap") unreachable)
  (func (export "spin") (loop $again (br $again)))`, {
  user: '(import USER "started" (func $started)) (import USER "answer" (func $answer))'
})

const APIS = {
  Plugin: (options, { started = () => {}, answer = () => {} } = {}) => {
    const functions = Object.entries({ started, answer }).map(([name, f]) => new HostFunction(name, [], [], () => f()))
    return Plugin.create({ wasm: [{ data: CODE }] }, false, functions, undefined, null, options)
  },
  createPlugin: (options, { started = () => {}, answer = () => {} } = {}) => {
    return createPlugin(CODE, { ...options, functions: { 'extism:host/user': { started: () => { started() }, answer: () => answer() } } })
  }
}

/** What `count` gives on an instance that nothing has run on before. */
const FRESH = '11221000'

for (const [api, make] of Object.entries(APIS)) {
  describe(`a plugin of ${api} with freshInstance`, () => {
    const opened = async (t, options, functions) => {
      const plugin = await make({ freshInstance: true, ...options }, functions)
      t.after(() => plugin.close())
      return plugin
    }

    test('has a new instance for each call: memory, globals, tables, blocks and variables of none before', async t => {
      const plugin = await opened(t)
      for (let i = 0; i < 5; i++) {
        assert.equal(asText(await plugin.call('count')), FRESH)
        assert.equal(asText(plugin.callSync('count')), FRESH)
      }
    })

    test('has one for each of the calls that run at the same time, which settle in order', async t => {
      const plugin = await opened(t, { instances: 3 }, { answer: () => new Promise(setImmediate) })
      const settled = []
      const outputs = await Promise.all(Array.from({ length: 100 }, (_, i) => plugin.call(i % 2 ? 'count' : 'ask', `${i}`).then(asText)))
      assert.deepEqual(outputs, Array.from({ length: 100 }, (_, i) => i % 2 ? FRESH : `${i}`))
      const alone = await opened(t)
      await Promise.all(Array.from({ length: 20 }, (_, i) => alone.call('echo', `${i}`).then(output => settled.push(asText(output)))))
      assert.deepEqual(settled, Array.from({ length: 20 }, (_, i) => `${i}`))
    })

    test('keeps none after a call, however that has ended', async t => {
      const plugin = await opened(t, {}, { answer: () => { throw new Error('of the host') } })
      for (const [name, code] of [['refuse', 'ERR_EXTISM_GUEST'], ['trap', 'ERR_EXTISM_TRAP'], ['spin', 'ERR_EXTISM_TIMEOUT'], ['echo', undefined]]) {
        const limit = { timeoutMs: 50 }
        const call = api === 'Plugin' ? plugin.call(name, 'x', limit) : plugin.call(name, 'x', null, limit)
        assert.equal(await call.then(() => undefined, ({ code }) => code), code)
        assert.equal(asText(await plugin.call('count')), FRESH)
        assert.equal(plugin.stats().instances, 0)
      }
      await assert.rejects(plugin.call('ask', 'x'), /of the host/)
      assert.equal(asText(await plugin.call('count')), FRESH)
    })

    test('runs start code for each call', async t => {
      let starts = 0
      const plugin = await opened(t, {}, { started: () => { starts++ } })
      for (let i = 0; i < 3; i++) {
        const before = starts
        await plugin.call('echo', 'x')
        assert.equal(starts, before + 1)
      }
    })

    test('counts its calls, and how many run at a time is bounded by instances', async t => {
      const [released, release] = signal()
      let asked = 0
      const plugin = await opened(t, { instances: 2 }, { answer: () => { asked++; return released } })
      const calls = Array.from({ length: 5 }, (_, i) => plugin.call('ask', `${i}`).then(asText))
      while (asked < 2) await new Promise(setImmediate)
      await new Promise(resolve => setTimeout(resolve, 20))
      const { active, queued } = plugin.stats()
      assert.deepEqual([asked, active, queued], [2, 2, 3])
      release()
      assert.deepEqual(await Promise.all(calls), ['0', '1', '2', '3', '4'])
      assert.equal(plugin.stats().calls, 5)
    })

    test('takes no more memory with the number of calls', async t => {
      const plugin = await opened(t)
      for (let i = 0; i < 500; i++) await plugin.call('echo', 'x')
      const before = process.memoryUsage.rss()
      for (let i = 0; i < 3_000; i++) await plugin.call('echo', 'x')
      const grown = process.memoryUsage.rss() - before
      assert.ok(grown < 64 << 20, `${grown >> 20} MiB`)
    })
  })

  test(`a plugin of ${api} without freshInstance keeps its instance`, async t => {
    for (const freshInstance of [undefined, null, false]) {
      const plugin = await make({ freshInstance })
      t.after(() => plugin.close())
      assert.equal(asText(await plugin.call('count')), FRESH)
      assert.equal(asText(await plugin.call('count')), '22331100')
    }
  })
}

test('a plugin with freshInstance and sharedVars keeps its variables, and nothing else', async t => {
  const plugin = await APIS.createPlugin({ freshInstance: true, sharedVars: true })
  t.after(() => plugin.close())
  const counts = [await plugin.call('count'), await plugin.call('count'), plugin.callSync('count')]
  assert.deepEqual(counts.map(asText), [FRESH, '11221100', '11221100'])
})
