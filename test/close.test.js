import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Context, Plugin, withContext } from '../index.js'
import { answering, holding, outcomes } from './answering.js'
import { pluginBytes } from './helpers.js'

const texts = count => Array.from({ length: count }, (_, i) => `${i}`)
const CLOSED = { name: 'ExtismError', code: 'ERR_EXTISM_CLOSED' }

describe('close()', () => {
  test('drains: calls made before are finished, later ones are refused, and then it is done', async () => {
    const { plugin, question } = holding({ instances: 2 })
    const calls = [...['a', 'b'].map(text => plugin.call('ask', text)), ...texts(100).map(text => plugin.call('echo', text))]
    const questions = [await question(), await question()]
    const order = []
    calls.forEach(call => call.then(() => order.push('call')))
    const closed = plugin.close().then(() => order.push('close'))
    await assert.rejects(plugin.call('echo', 'late'), CLOSED)
    assert.throws(() => plugin.callSync('echo', 'late'), CLOSED)
    assert.throws(() => plugin.stats(), CLOSED)
    assert.equal(plugin.functionExists('echo'), false)
    assert.equal(plugin.cancelHandle().cancel(), false)
    for (const { resolve } of questions) resolve()
    assert.deepEqual(await outcomes(calls), ['a', 'b', ...texts(100)])
    await closed
    assert.deepEqual(order, [...Array(102).fill('call'), 'close'])
  })

  test('once more does nothing, and is done when the first is', async () => {
    const { plugin, question } = holding()
    const call = plugin.call('ask', 'held')
    const { resolve } = await question()
    const order = []
    call.then(() => order.push('call'))
    plugin.free()
    const closing = [plugin.close(), plugin.close(), plugin[Symbol.asyncDispose]()]
    const closed = Promise.all(closing.map(close => close.then(() => order.push('close'))))
    await new Promise(setImmediate)
    resolve()
    await Promise.all([call, closed])
    assert.deepEqual(order, ['call', 'close', 'close', 'close'])
    assert.equal(await plugin.close(), undefined)
    plugin.free()
  })

  test('also waits for calls on code that was replaced', async () => {
    const { plugin, question } = holding()
    const call = plugin.call('ask', 'held')
    const { resolve } = await question()
    plugin.update(pluginBytes('modern.wat'))
    const order = []
    call.then(() => order.push('call'))
    const closed = plugin.close().then(() => order.push('close'))
    await new Promise(setImmediate)
    resolve()
    await Promise.all([call, closed])
    assert.deepEqual(order, ['call', 'close'])
  })

  test('at any time: before the plugin is compiled, idle, after a trap, in a host function', async () => {
    const code = pluginBytes('modern.wat')
    await new Plugin(code, false, [], undefined, null, { cache: false }).close()
    const early = new Plugin(code, false, [], undefined, null, { cache: false, instances: 3 })
    const call = early.call('echo', 'early')
    await early.close()
    assert.equal(String(await call), 'early')
    const trapped = new Plugin(code)
    await assert.rejects(trapped.call('trap'), { code: 'ERR_EXTISM_TRAP' })
    await trapped.close()
    let closed
    const plugin = answering(async text => {
      closed = plugin.close()
      return text
    })
    assert.equal(String(await plugin.call('ask', 'from within')), 'from within')
    await closed
  })

  test('is what Symbol.asyncDispose does', async () => {
    const { plugin, question } = holding()
    const call = plugin.call('ask', 'disposed')
    const { resolve } = await question()
    const disposed = plugin[Symbol.asyncDispose]()
    await assert.rejects(plugin.call('echo'), CLOSED)
    resolve()
    assert.equal(await disposed, undefined)
    assert.equal(String(await call), 'disposed')
  })

  test('takes the plugin out of its context, whose free() finishes calls as well', async () => {
    const context = new Context()
    const plugin = context.plugin(pluginBytes('modern.wat'))
    const call = plugin.call('echo', 'x')
    await plugin.close()
    const other = context.plugin(pluginBytes('modern.wat'))
    const calls = texts(10).map(text => other.call('echo', text))
    context.free()
    await assert.rejects(other.call('echo'), CLOSED)
    assert.deepEqual(await outcomes([call, ...calls]), ['x', ...texts(10)])
    const late = await withContext(context => context.plugin(pluginBytes('modern.wat')))
    await assert.rejects(late.call('echo'), CLOSED)
  })
})
