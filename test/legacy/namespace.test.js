import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin, ValType } from '../../index.js'
import { guest, pluginBytes } from '../helpers.js'

describe('hostFunction.setNamespace(ns), .withNamespace(ns), .free(), .name', () => {
  const importing = (namespace, name) => guest(`(func (export "ask") (call $give (call $${name})))`, {
    user: `(import "${namespace}" "${name}" (func $${name} (result i64)))`
  })
  const giving = (name, text) => new HostFunction(name, [], [ValType.I64], (current, inputs, outputs) => current.returnString(outputs[0], text))

  test('without a namespace it is found in both of the default ones', async () => {
    for (const namespace of ['extism:host/user', 'env']) {
      const plugin = new Plugin(importing(namespace, 'x'), false, [giving('x', 'found')])
      assert.equal((await plugin.call('ask')).toString(), 'found')
      plugin.free()
    }
  })

  test('one plugin may import it from both', async () => {
    const code = guest('(func (export "ask") (call $old) (call $new))', {
      user: '(import "env" "count" (func $old)) (import "extism:host/user" "count" (func $new))'
    })
    let count = 0
    const plugin = new Plugin(code, false, [new HostFunction('count', [], [], () => { count++ })])
    await plugin.call('ask')
    assert.equal(count, 2)
    plugin.free()
  })

  test('with one it is found there and nowhere else', async () => {
    const named = giving('x', 'mine').withNamespace('mine')
    const plugin = new Plugin(importing('mine', 'x'), false, [named])
    assert.equal((await plugin.call('ask')).toString(), 'mine')
    for (const namespace of ['extism:host/user', 'env', 'other']) {
      assert.throws(() => new Plugin(importing(namespace, 'x'), false, [named]), { code: 'ERR_EXTISM_LINK', message: new RegExp(`"${namespace}" "x"`) })
    }
    plugin.free()
  })

  test('functions of one name in several namespaces are kept apart', async () => {
    const code = guest('(func (export "a") (call $give (call $a))) (func (export "b") (call $give (call $b)))', {
      user: '(import "first" "x" (func $a (result i64))) (import "second" "x" (func $b (result i64)))'
    })
    const second = giving('x', '2')
    second.setNamespace('second')
    const plugin = new Plugin(code, false, [giving('x', '1').withNamespace('first'), second])
    assert.equal((await plugin.call('a')).toString() + await plugin.call('b'), '12')
    plugin.free()
  })

  test('withNamespace returns the host function, setNamespace nothing', () => {
    const f = giving('x', '')
    assert.equal(f.withNamespace('a'), f)
    assert.equal(f.setNamespace('b'), undefined)
  })

  test('free does nothing, however often, also while a plugin uses it', async () => {
    const f = giving('x', 'alive')
    const plugin = new Plugin(importing('env', 'x'), false, [f])
    f.free()
    f.free()
    assert.equal((await plugin.call('ask')).toString(), 'alive')
    plugin.free()
  })

  test('name is the name it was made with', () => {
    assert.equal(giving('the name', '').name, 'the name')
  })

  test('one host function serves many plugins', async () => {
    const f = giving('x', 'shared')
    const plugins = [new Plugin(importing('env', 'x'), false, [f]), new Plugin(importing('extism:host/user', 'x'), false, [f])]
    for (const plugin of plugins) {
      assert.equal((await plugin.call('ask')).toString(), 'shared')
      plugin.free()
    }
  })

  test('one that nobody imports is no problem', async () => {
    const plugin = new Plugin(pluginBytes('modern.wat'), false, [giving('unused', '')])
    assert.equal((await plugin.call('echo', 'x')).toString(), 'x')
    plugin.free()
  })

  test('bad arguments are refused by name', () => {
    const refusal = message => ({ name: 'TypeError', message })
    assert.throws(() => new HostFunction(5, [], [], () => {}), refusal(/name of a host function/))
    assert.throws(() => new HostFunction('', [], [], () => {}), refusal(/name of a host function/))
    assert.throws(() => new HostFunction('x', 'I64', [], () => {}), refusal(/"x": inputs must be an array/))
    assert.throws(() => new HostFunction('x', [], undefined, () => {}), refusal(/"x": outputs must be an array/))
    assert.throws(() => new HostFunction('x', [], [], 5), refusal(/"x": f must be a function; got 5/))
    assert.throws(() => giving('x', '').withNamespace(5), refusal(/namespace/))
    assert.throws(() => giving('x', '').setNamespace(''), refusal(/namespace/))
  })
})
