import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin, createPlugin } from '../index.js'
import { asText, guest } from './helpers.js'

const CODE = guest(`
  (func (export "echo") (call $give (call $input)))
  (func (export "ask") (call $answer) (call $give (call $input)))
  (func (export "trap") unreachable)
  (func (export "work") (local $i i64)
    (loop $again (br_if $again (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const 1000000000)))))
  (func (export "spin") (loop $again (br $again)))`, { user: '(import USER "answer" (func $answer))' })

const APIS = {
  Plugin: (options, answer = () => {}) => new Plugin({ wasm: [{ data: CODE }] }, false, [new HostFunction('answer', [], [], () => answer())], undefined, null, options),
  createPlugin: (options, answer = () => {}) => createPlugin(CODE, { ...options, functions: { 'extism:host/user': { answer: () => answer() } } })
}

/** How long the event loop was held at most, in milliseconds, while `f` ran. */
async function held (f) {
  let [longest, last, over] = [0, performance.now(), false]
  const look = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!over) setImmediate(look)
  }
  setImmediate(look)
  await f()
  over = true
  return longest
}

for (const [api, make] of Object.entries(APIS)) {
  describe(`a plugin of ${api} with runInWorker`, () => {
    const opened = async (t, options, answer) => {
      const plugin = await make({ runInWorker: true, maxQueue: 1_000, ...options }, answer)
      t.after(() => plugin.close())
      return plugin
    }

    test('runs every call on a worker thread, from its beginning', async t => {
      const plugin = await opened(t)
      for (let i = 0; i < 20; i++) assert.equal(asText(await plugin.call('echo', `${i}`)), `${i}`)
      await assert.rejects(plugin.call('trap'), { code: 'ERR_EXTISM_TRAP' })
      await Promise.all(Array.from({ length: 20 }, () => plugin.call('echo', 'x')))
      const { calls, moved } = plugin.stats()
      assert.deepEqual([calls, moved], [41, 41])
    })

    test('has its host functions called on this thread, and goes on elsewhere', async t => {
      let count = 0
      const plugin = await opened(t, {}, () => { count++ })
      const outputs = await Promise.all(Array.from({ length: 50 }, (_, i) => plugin.call('ask', `${i}`)))
      assert.deepEqual(outputs.map(asText), Array.from({ length: 50 }, (_, i) => `${i}`))
      assert.equal(count, 50)
      assert.equal(plugin.stats().moved, 50)
    })

    test('can be called synchronously, here', async t => {
      const plugin = await opened(t)
      assert.equal(asText(plugin.callSync('ask', 'x')), 'x')
      assert.equal(asText(await plugin.call('echo', 'y')), 'y')
      assert.equal(asText(plugin.callSync('echo', 'z')), 'z')
    })

    test('ends with its timeout', async t => {
      const plugin = await opened(t, {})
      const limit = { timeoutMs: 50 }
      await assert.rejects(api === 'Plugin' ? plugin.call('spin', '', limit) : plugin.call('spin', '', null, limit), { code: 'ERR_EXTISM_TIMEOUT' })
      assert.equal(asText(await plugin.call('echo', 'next')), 'next')
    })
  })

  test(`a plugin of ${api} without runInWorker moves a call that takes long, and no short one`, async t => {
    const plugin = await make({})
    t.after(() => plugin.close())
    await plugin.call('echo', 'x')
    const { moved } = plugin.stats()
    for (let i = 0; i < 100; i++) await plugin.call('echo', 'x')
    // The machine may be busy with something else.
    assert.ok(plugin.stats().moved - moved <= 5)
    const before = plugin.stats().moved
    const longest = await held(() => plugin.call('work'))
    assert.equal(plugin.stats().moved, before + 1)
    assert.ok(longest < 200, `the event loop was held for ${longest} ms`)
  })
}
