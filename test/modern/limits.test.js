import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createPlugin } from '../../index.js'
import { guest, signal } from '../helpers.js'
import { USER, asking, made, textOf } from './making.js'

const TIMEOUT = { name: 'ExtismError', code: 'ERR_EXTISM_TIMEOUT', message: 'EXTISM: call canceled due to timeout' }

describe('timeoutMs', () => {
  test('ends a call that takes longer, without runInWorker and with it, and the plugin serves on', async t => {
    for (const runInWorker of [false, true]) {
      const plugin = await asking(t, undefined, { timeoutMs: 50, runInWorker })
      for (let i = 0; i < 3; i++) await assert.rejects(plugin.call('spin'), TIMEOUT)
      assert.throws(() => plugin.callSync('spin'), TIMEOUT)
      assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
    }
  })

  test('counts the time of host functions', async t => {
    const plugin = await asking(t, () => new Promise(() => {}), { timeoutMs: 50 })
    await assert.rejects(plugin.call('ask'), TIMEOUT)
  })

  test('of a call counts more than that of the plugin', async t => {
    const plugin = await asking(t, undefined, { timeoutMs: 0 })
    await assert.rejects(plugin.call('spin', '', null, { timeoutMs: 50 }), TIMEOUT)
    assert.throws(() => plugin.callSync('spin', '', null, { timeoutMs: 50 }), TIMEOUT)
    const hurried = await asking(t, () => 0n, { timeoutMs: 1 })
    assert.equal(await hurried.call('tell', '', null, { timeoutMs: 0 }), null)
  })

  test('of a wrong kind is refused', async t => {
    const plugin = await asking(t)
    await assert.rejects(plugin.call('echo', '', null, { timeoutMs: 'x' }), { name: 'TypeError' })
    await assert.rejects(plugin.call('echo', '', null, { timeoutMs: -1 }), { name: 'RangeError' })
  })
})

describe('signal', () => {
  test('cancels a call that runs, and one that waits', async t => {
    const [started, start] = signal()
    const plugin = await asking(t, () => {
      start()
      return 0n
    })
    const controllers = [new AbortController(), new AbortController()]
    const [running, waiting] = controllers.map(({ signal }) => plugin.call('spin', '', null, { signal }))
    await started
    const reason = new Error('enough')
    controllers[1].abort(reason)
    await assert.rejects(waiting, { name: 'AbortError', code: 'ABORT_ERR', cause: reason })
    controllers[0].abort(reason)
    await assert.rejects(running, error => error.name === 'AbortError' && error.cause === reason)
    assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
  })

  test('that is aborted already keeps the call from running', async t => {
    const plugin = await asking(t, () => assert.fail('it ran'))
    await assert.rejects(plugin.call('ask', '', null, { signal: AbortSignal.abort() }), { name: 'AbortError' })
  })

  test('that is none is refused', async t => {
    const plugin = await asking(t)
    for (const bad of [{}, 5, 'signal']) await assert.rejects(plugin.call('echo', '', null, { signal: bad }), { name: 'TypeError' })
    await assert.rejects(plugin.call('echo', '', null, 5), { name: 'TypeError' })
  })
})

describe('fuel', () => {
  test('ends a call that uses more of it, and the plugin serves on', async t => {
    const plugin = await asking(t, undefined, { fuel: 1_000_000 })
    for (let i = 0; i < 3; i++) await assert.rejects(plugin.call('spin'), { name: 'ExtismError', code: 'ERR_EXTISM_FUEL' })
    assert.throws(() => plugin.callSync('spin'), { code: 'ERR_EXTISM_FUEL' })
    for (let i = 0; i < 100; i++) assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
  })
})

describe('memory.maxPages', () => {
  /** `run` gives what `alloc` of so many pages gives, 0 or not; `grow` takes memory of its own. */
  const CODE = guest(`
    (func $tell (param $yes i32) (local $block i64)
      (local.set $block (call $alloc (i64.const 1)))
      (call $store_u8 (local.get $block) (i32.add (i32.const 48) (local.get $yes)))
      (call $give (local.get $block)))
    (func (export "two") (call $tell (i64.ne (call $alloc (i64.const 0x1f000)) (i64.const 0))))
    (func (export "three") (call $tell (i64.ne (call $alloc (i64.const 0x2f000)) (i64.const 0))))
    (func (export "grow") (call $tell (i32.ne (memory.grow (i32.const 100)) (i32.const -1))))
    (func $ask (param $free i32) (local $i i32) (local $block i64) (local $all i32)
      (local.set $all (i32.const 1))
      (loop $again
        (local.set $block (call $answer))
        (local.set $all (i32.and (local.get $all) (i64.ne (local.get $block) (i64.const 0))))
        (if (local.get $free) (then (call $free (local.get $block))))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 200))))
      (call $tell (local.get $all)))
    (func (export "answers") (call $ask (i32.const 1)))
    (func (export "hoard") (call $ask (i32.const 0)))
    (func (export "answer") (call $tell (i64.ne (call $answer) (i64.const 0))))`, { user: '(import USER "answer" (func $answer (result i64)))' })

  async function limited (t, maxPages, size) {
    const logged = []
    const options = { memory: { maxPages }, logLevel: 'error', logger: { error: text => logged.push(text) }, functions: { [USER]: { answer: context => context.alloc(size) } } }
    return { plugin: await made(t, CODE, options), logged }
  }

  test('limits the blocks: alloc gives 0, and the log says why', async t => {
    const { plugin, logged } = await limited(t, 2)
    assert.equal(await textOf(plugin.call('two')), '1')
    assert.deepEqual(logged, [])
    assert.equal(await textOf(plugin.call('three')), '0')
    assert.deepEqual(logged, ['memory limit exceeded: 3 pages requested, 2 allowed'])
    assert.equal(await textOf(plugin.call('two')), '1')
  })

  test('limits context.alloc in the same way', async t => {
    const { plugin, logged } = await limited(t, 2, 0x2f000)
    assert.equal(await textOf(plugin.call('answer')), '0')
    assert.deepEqual(logged, ['memory limit exceeded: 3 pages requested, 2 allowed'])
  })

  test('does not count the memory of the guest', async t => {
    const { plugin } = await limited(t, 1)
    assert.equal(await textOf(plugin.call('grow')), '1')
  })

  test('counts blocks of host functions as long as they are there', async t => {
    const { plugin } = await limited(t, 2, 1000)
    // 200 of them are more than two pages; each is given back before the next.
    assert.equal(await textOf(plugin.call('answers')), '1')
    const { plugin: hoarding } = await limited(t, 2, 1000)
    assert.equal(await textOf(hoarding.call('hoard')), '0')
  })

  test('is none by default, and 0 is none', async t => {
    for (const maxPages of [undefined, 0]) {
      const { plugin } = await limited(t, maxPages, 0x2f0000)
      for (const name of ['three', 'answer']) assert.equal(await textOf(plugin.call(name)), '1')
    }
  })
})

describe('what a module cannot be', () => {
  test('is refused before anything runs', async () => {
    for (const bad of ['', 'nonsense', '(module (func (result i32)))', Buffer.from('\0asm\x02\0\0\0', 'latin1')]) {
      await assert.rejects(createPlugin({ wasm: [{ data: Buffer.from(bad) }] }), { name: 'ExtismError', code: 'ERR_EXTISM_MODULE' })
    }
  })
})
