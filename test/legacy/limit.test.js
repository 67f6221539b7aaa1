import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Plugin } from '../../index.js'
import { guest, pluginBytes, wat } from '../helpers.js'

const data = pluginBytes('modern.wat')

describe('manifest: timeout_ms', () => {
  for (const name of ['timeout_ms', 'timeoutMs']) {
    test(`${name} ends a call that takes longer, and the plugin goes on`, async () => {
      const plugin = new Plugin({ wasm: [{ data }], [name]: 30 })
      for (let i = 0; i < 3; i++) {
        await assert.rejects(plugin.call('spin'), { code: 'ERR_EXTISM_TIMEOUT', message: /^Plugin error: .*30 ms/ })
        assert.equal((await plugin.call('echo', 'after')).toString(), 'after')
      }
      plugin.free()
    })
  }

  test('works in JSON', async () => {
    const plugin = new Plugin(JSON.stringify({ wasm: [{ data: data.toString('base64') }], timeout_ms: 30 }))
    await assert.rejects(plugin.call('spin'), { code: 'ERR_EXTISM_TIMEOUT' })
    plugin.free()
  })

  test('holds for each call on its own: what waits in the queue does not use it up', async () => {
    const plugin = new Plugin({ wasm: [{ data }], timeout_ms: 30 })
    const settled = await Promise.allSettled(['spin', 'spin', 'spin', 'spin', 'echo'].map(name => plugin.call(name, 'x')))
    assert.deepEqual(settled.map(({ reason, value }) => reason?.code ?? value.toString()), [...Array(4).fill('ERR_EXTISM_TIMEOUT'), 'x'])
    plugin.free()
  })

  test('does not touch another plugin of the same code', async () => {
    const [short, long] = [30, 60_000].map(timeout => new Plugin({ wasm: [{ data }], timeout_ms: timeout }))
    const spinning = long.call('spin')
    await assert.rejects(short.call('spin'), { code: 'ERR_EXTISM_TIMEOUT' })
    assert.equal(await Promise.race([spinning.catch(() => 'ended'), short.call('echo', 'runs').then(String)]), 'runs')
    assert.equal(long.cancelHandle().cancel(), true)
    await assert.rejects(spinning, { code: 'ERR_EXTISM_CANCELLED' })
    for (const plugin of [short, long]) plugin.free()
  })

  test('0 and Infinity are no timeout', async () => {
    for (const none of [0, Infinity, Number.MAX_VALUE]) {
      const plugin = new Plugin({ wasm: [{ data }], timeout_ms: none })
      assert.equal((await plugin.call('echo', 'x')).toString(), 'x')
      plugin.free()
    }
  })

  test('what is none is refused', () => {
    for (const bad of ['5', {}, true]) assert.throws(() => new Plugin({ wasm: [{ data }], timeout_ms: bad }), { name: 'TypeError', message: /timeout_ms/ })
    for (const bad of [-1, NaN, -Infinity]) assert.throws(() => new Plugin({ wasm: [{ data }], timeout_ms: bad }), { name: 'RangeError', message: /timeout_ms/ })
  })
})

describe('manifest: memory.max_pages', () => {
  const GROWING = guest('(func (export "grow") (drop (memory.grow (i32.wrap_i64 (call $input_length)))))')
  const grow = async (memory, pages) => {
    const plugin = new Plugin({ wasm: [{ data: GROWING }], memory })
    try {
      return await plugin.call('grow', Buffer.alloc(pages))
    } finally {
      plugin.free()
    }
  }
  const REACHED = { code: 'ERR_EXTISM_OUT_OF_MEMORY', message: /^Plugin error: .*memory/ }

  for (const name of ['max_pages', 'maxPages']) {
    test(`${name} lets memory grow up to it, and no further`, async () => {
      await grow({ [name]: 20 }, 8)
      await assert.rejects(grow({ [name]: 20 }, 25), REACHED)
    })
  }

  test('without it memory grows', () => grow(undefined, 1000))

  test('counts what the plugin starts with', () => {
    const opening = () => new Plugin({ wasm: [{ data: wat('(module (memory 100) (func (export "run")))') }], memory: { max_pages: 50 } })
    assert.throws(opening, { code: 'ERR_EXTISM_OUT_OF_MEMORY', message: /100.*50/ })
  })

  test('counts blocks of the environment, too', async () => {
    const plugin = new Plugin({ wasm: [{ data: guest('(func (export "hoard") (loop $again (br_if $again (i64.ne (call $alloc (i64.const 65536)) (i64.const 0)))) (unreachable))') }], memory: { max_pages: 50 }, timeout_ms: 10_000 })
    await assert.rejects(plugin.call('hoard'), REACHED)
    plugin.free()
  })

  test('an input that does not fit is an error, and the plugin goes on', async () => {
    const plugin = new Plugin({ wasm: [{ data }], memory: { max_pages: 20 } })
    await assert.rejects(plugin.call('echo', Buffer.alloc(8 << 20)), { code: 'ERR_EXTISM_OUT_OF_MEMORY' })
    assert.equal((await plugin.call('echo', 'small')).toString(), 'small')
    plugin.free()
  })

  test('what is none is refused', () => {
    for (const bad of ['5', {}]) assert.throws(() => new Plugin({ wasm: [{ data }], memory: { max_pages: bad } }), { name: 'TypeError', message: /memory\.max_pages/ })
    for (const bad of [0, -1, 0.5, NaN, 65_537]) assert.throws(() => new Plugin({ wasm: [{ data }], memory: { max_pages: bad } }), { name: 'RangeError', message: /memory\.max_pages/ })
  })
})
