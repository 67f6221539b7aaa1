import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin, ValType } from '../../index.js'
import { guest, pluginBytes, signal } from '../helpers.js'

function answers (text, extra = '') {
  return guest(`
    (data (i32.const 0) "${text}")
    (func (export "answer") (call $give (call $put (i32.const 0) (i32.const ${text.length}))))
    ${extra}`)
}

async function answer (plugin) {
  return (await plugin.call('answer')).toString()
}

describe('plugin.update(manifest, wasi, functions, config)', () => {
  test('replaces the code in place', async () => {
    const plugin = new Plugin(answers('old'))
    const { id, ctx } = plugin
    assert.equal(await answer(plugin), 'old')
    plugin.update(answers('new', '(func (export "more"))'))
    assert.equal(await answer(plugin), 'new')
    assert.equal(plugin.functionExists('more'), true)
    assert.equal(plugin.id, id)
    assert.equal(plugin.ctx, ctx)
    plugin.free()
  })

  test('takes what is called at once after it to the new code', async () => {
    const plugin = new Plugin(answers('old'))
    const before = answer(plugin)
    plugin.update(answers('new'))
    assert.deepEqual(await Promise.all([before, answer(plugin)]), ['old', 'new'])
    plugin.free()
  })

  test('calls in flight and calls in the queue finish on the old code', async () => {
    const [started, start] = signal()
    const [released, release] = signal()
    const wait = new HostFunction('wait', [], [], () => {
      start()
      return released
    })
    const old = guest('(func (export "slow") (call $wait) (call $give (call $input)))', { user: '(import USER "wait" (func $wait))' })
    const plugin = new Plugin(old, false, [wait])
    const calls = [plugin.call('slow', '1'), plugin.call('slow', '2')]
    await started
    plugin.update(answers('new'))
    assert.equal(await answer(plugin), 'new')
    assert.equal(plugin.functionExists('slow'), false)
    release()
    assert.deepEqual((await Promise.all(calls)).map(String), ['1', '2'])
    plugin.free()
  })

  test('a bad update throws, and the old code stays with its state', async () => {
    const plugin = new Plugin(pluginBytes('modern.wat'))
    await plugin.call('count')
    assert.throws(() => plugin.update('nonsense'), { code: 'ERR_EXTISM_MODULE' })
    assert.throws(() => plugin.update('{ "wasm": [] }'), { code: 'ERR_EXTISM_MANIFEST' })
    assert.throws(() => plugin.update('(module (import "a" "b" (func)))'), { code: 'ERR_EXTISM_LINK' })
    assert.throws(() => plugin.update(5), TypeError)
    assert.throws(() => plugin.update(answers('x'), false, [5]), TypeError)
    assert.equal((await plugin.call('count')).toString(), '2')
    plugin.free()
  })

  test('brings host functions, WASI and configuration of its own', async () => {
    const plugin = new Plugin(answers('old'), false, [], { key: 'old' })
    const name = new HostFunction('name', [], [ValType.I64], (current, inputs, outputs) => current.returnString(outputs[0], 'key'))
    const code = guest('(func (export "answer") (drop (call $yield)) (call $give (call $config_get (call $name))))', {
      user: '(import USER "name" (func $name (result i64))) (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))'
    })
    assert.throws(() => plugin.update(code, false, [name]), { code: 'ERR_EXTISM_LINK' })
    plugin.update(code, true, [name], { key: 'new' })
    assert.equal(await answer(plugin), 'new')
    plugin.free()
  })

  test('starts with fresh state', async () => {
    const plugin = new Plugin(pluginBytes('modern.wat'))
    await plugin.call('count')
    plugin.update(pluginBytes('2023.wat'))
    assert.equal((await plugin.call('count')).toString(), '1')
    plugin.free()
  })

  test('throws on a freed plugin', () => {
    const plugin = new Plugin(answers('old'))
    plugin.free()
    assert.throws(() => plugin.update(answers('new')), { code: 'ERR_EXTISM_CLOSED', message: /^Plugin error/ })
  })

  test('can be repeated while calls go on', async () => {
    const plugin = new Plugin(answers('0'))
    const calls = []
    for (let i = 1; i < 10; i++) {
      calls.push(answer(plugin))
      plugin.update(answers(`${i}`))
    }
    assert.deepEqual(await Promise.all(calls), Array.from('012345678'))
    plugin.free()
  })

  test('a plugin in a context is still freed with it', async () => {
    const plugin = new Plugin(answers('old'))
    plugin.update(answers('new'))
    plugin.ctx.free()
    await assert.rejects(plugin.call('answer'), { code: 'ERR_EXTISM_CLOSED' })
  })
})
