import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { signal } from '../helpers.js'
import { asking, textOf } from './making.js'

describe('variables', () => {
  test('stay from call to call, also over a trap, an error and a reset', async t => {
    const plugin = await asking(t, () => { throw new Error('boom') })
    assert.equal(await plugin.call('get'), null)
    await plugin.call('set', 'kept')
    for (const name of ['trap', 'refuse', 'ask']) {
      await assert.rejects(plugin.call(name, 'x'))
      assert.equal(await textOf(plugin.call('get')), 'kept')
    }
    await plugin.reset()
    assert.equal(await textOf(plugin.call('get')), 'kept')
  })

  test('are the same to the context, and to callSync', async t => {
    const plugin = await asking(t, (context, address) => {
      const before = context.getVariable('name')
      context.setVariable('name', context.read(address).text())
      return context.store(before?.text() ?? 'none')
    })
    assert.equal(await textOf(plugin.call('ask', 'one')), 'none')
    assert.equal(await textOf(plugin.call('get')), 'one')
    await plugin.call('set', 'two')
    assert.equal(plugin.callSync('ask', 'three').text(), 'two')
    assert.equal(plugin.callSync('get').text(), 'three')
  })

  test('are of one plugin alone', async t => {
    const plugins = [await asking(t), await asking(t)]
    await plugins[0].call('set', 'mine')
    assert.equal(await plugins[1].call('get'), null)
  })

  test('are of one instance alone, but with sharedVars', async t => {
    for (const [sharedVars, expected] of [[true, 'kept'], [false, undefined]]) {
      const [started, start] = signal()
      const [released, release] = signal()
      const plugin = await asking(t, async () => {
        start()
        await released
        return 0n
      }, { instances: 2, sharedVars })
      await plugin.call('set', 'kept')
      // The instance that has set the variable is the only one there is, and is busy now.
      const busy = plugin.call('tell')
      await started
      assert.equal(await textOf(plugin.call('get')), expected)
      release()
      await busy
    }
  })
})

describe('context.getVariable, setVariable and deleteVariable', () => {
  /** Has `f` run with a context, within a call. */
  async function within (t, f, options) {
    const plugin = await asking(t, context => {
      f(context)
      return 0n
    }, options)
    await plugin.call('tell')
    return plugin
  }

  const VALUES = { 'a string': 'tëxt', 'a Buffer': Buffer.from('pooled'), 'a part of bytes': new Uint8Array([0, 1, 2, 255]).subarray(1, 3), 'an ArrayBuffer': new Uint8Array([1]).buffer }
  for (const [form, value] of Object.entries(VALUES)) {
    test(`take and give copies of exactly the bytes of ${form}`, t => within(t, context => {
      const bytes = [...Buffer.from(value)]
      context.setVariable('name', value)
      if (ArrayBuffer.isView(value)) value.fill(0)
      const got = context.getVariable('name')
      assert.ok(got instanceof DataView)
      assert.deepEqual([...got.bytes()], bytes)
      assert.deepEqual([got.byteOffset, got.buffer.byteLength], [0, bytes.length])
      got.bytes().fill(0)
      assert.deepEqual([...context.getVariable('name').bytes()], bytes)
    }))
  }

  test('know an empty value from none, and any name', t => within(t, context => {
    for (const name of ['name', '', 'ünï', 'x'.repeat(1_000), '__proto__']) {
      assert.equal(context.getVariable(name), null)
      context.setVariable(name, '')
      assert.equal(context.getVariable(name).byteLength, 0)
      assert.equal(context.deleteVariable(name), undefined)
      assert.equal(context.getVariable(name), null)
      context.deleteVariable(name)
    }
  }))

  test('refuse names and values that are none', t => within(t, context => {
    for (const value of [undefined, null, 5, {}]) assert.throws(() => context.setVariable('name', value), { name: 'TypeError' })
    for (const name of [undefined, null, 5, {}]) {
      assert.throws(() => context.setVariable(name, ''), { name: 'TypeError' })
      assert.throws(() => context.getVariable(name), { name: 'TypeError' })
      assert.throws(() => context.deleteVariable(name), { name: 'TypeError' })
    }
  }))

  test('work outside of a call, too', async t => {
    let kept
    const plugin = await within(t, context => { kept = context })
    kept.setVariable('name', 'late')
    assert.equal(await textOf(plugin.call('get')), 'late')
    assert.equal(kept.getVariable('name').text(), 'late')
    kept.deleteVariable('name')
    assert.equal(await plugin.call('get'), null)
  })
})

describe('memory.maxVarBytes', () => {
  test('allows more by default than the API of 2023 does', async t => {
    const plugin = await asking(t)
    await plugin.call('set', Buffer.alloc(2 << 20))
    assert.equal((await plugin.call('get')).byteLength, 2 << 20)
  })

  test('limits the values together; the plugin that wants more gets an error, which is logged', async t => {
    const logged = []
    const plugin = await asking(t, undefined, { memory: { maxVarBytes: 5 }, logLevel: 'error', logger: { error: text => logged.push(text) } })
    await plugin.call('set', 'fivee')
    const message = 'var memory limit exceeded: 6 bytes requested, 5 allowed'
    await assert.rejects(plugin.call('set', 'sixsix'), { message: `Plugin-originated error: ${message}` })
    assert.deepEqual(logged, [message])
    assert.equal(await textOf(plugin.call('get')), 'fivee')
  })

  test('makes setVariable throw, in these words', async t => {
    let kept
    const f = context => {
      kept = context
      context.setVariable('a', '123')
      assert.throws(() => context.setVariable('b', '456'), { name: /Error$/, message: 'var memory limit exceeded: 6 bytes requested, 5 allowed' })
      context.setVariable('a', '')
      context.setVariable('long name', '12345')
      return 0n
    }
    const plugin = await asking(t, f, { memory: { maxVarBytes: 5 } })
    await plugin.call('tell')
    assert.throws(() => kept.setVariable('b', '1'), { message: /^var memory limit exceeded/ })
  })
})
