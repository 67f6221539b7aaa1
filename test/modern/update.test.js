import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { signal } from '../helpers.js'
import { CODE, USER, asking, made, saying, textOf } from './making.js'

const answer = { [USER]: { answer: () => 0n } }

describe('plugin.update(manifest, options)', () => {
  test('replaces the code, and takes a manifest in any form', async t => {
    const plugin = await made(t, saying('old'))
    for (const [manifest, text] of [[saying('a'), 'a'], [{ wasm: [{ data: saying('b') }] }, 'b'], [Promise.resolve(saying('c')), 'c']]) {
      assert.equal(await plugin.update(manifest), undefined)
      assert.equal(await textOf(plugin.call('run')), text)
    }
    await plugin.update(saying('d', '(func (export "more"))'))
    assert.equal(await plugin.functionExists('more'), true)
  })

  test('keeps the options, but for those it is given instead', async t => {
    const plugin = await made(t, CODE, { functions: answer, config: { key: 'old' } })
    await plugin.update(CODE)
    assert.equal(await textOf(plugin.call('config', 'key')), 'old')
    await plugin.update(CODE, { functions: answer, config: { key: 'new' } })
    assert.equal(await textOf(plugin.call('config', 'key')), 'new')
    await plugin.update(CODE)
    assert.equal(await textOf(plugin.call('config', 'key')), 'new')
    await plugin.update(CODE, { functions: answer })
    assert.equal(await plugin.call('config', 'key'), null)
  })

  test('leaves calls in flight and in the queue to the old code, also in a close', async t => {
    const [started, start] = signal()
    const [released, release] = signal()
    const plugin = await asking(t, async (context, address) => {
      start()
      await released
      return context.store(context.hostContext() + context.read(address).text())
    })
    const calls = [plugin.call('ask', '1', 'x'), plugin.call('ask', '2', 'y')]
    await started
    await plugin.update(saying('new'))
    assert.equal(await textOf(plugin.call('run')), 'new')
    assert.equal(await plugin.functionExists('ask'), false)
    const closed = plugin.close()
    release()
    assert.deepEqual(await Promise.all(calls.map(textOf)), ['x1', 'y2'])
    await closed
  })

  test('leaves the plugin active while calls run on the old code', async t => {
    const [started, start] = signal()
    const [released, release] = signal()
    const plugin = await asking(t, async () => {
      start()
      await released
      return 0n
    })
    const call = plugin.call('tell')
    await started
    await plugin.update(saying('new'))
    const [active, reset] = [plugin.isActive(), await plugin.reset()]
    release()
    await call
    assert.deepEqual([active, reset], [true, false])
  })

  test('that is bad rejects, and the old code stays as it was', async t => {
    const plugin = await asking(t)
    await plugin.call('count')
    await assert.rejects(plugin.update(Buffer.from('nonsense')), { code: 'ERR_EXTISM_MODULE' })
    await assert.rejects(plugin.update({}), { name: 'TypeError' })
    await assert.rejects(plugin.update(saying('x'), { logLevel: 'loud' }), { name: 'TypeError' })
    await assert.rejects(plugin.update(saying('x', '(func $start unreachable) (start $start)')), { code: 'ERR_EXTISM_TRAP' })
    assert.equal(await textOf(plugin.call('count')), '2')
  })

  test('that never comes to an end stops no later one', async t => {
    const plugin = await made(t, saying('old'))
    plugin.update(new Promise(() => {})).catch(() => {})
    await plugin.update(saying('new'))
    assert.equal(await textOf(plugin.call('run')), 'new')
  })

  test('that is overtaken by a later one changes nothing', async t => {
    const plugin = await made(t, saying('old'))
    let resolve
    const earlier = plugin.update(new Promise(settle => { resolve = settle }))
    await plugin.update(saying('later'))
    resolve(saying('earlier'))
    await earlier
    assert.equal(await textOf(plugin.call('run')), 'later')
  })

  test('that is overtaken by a close rejects', async t => {
    const plugin = await made(t, saying('old'))
    const updated = plugin.update(saying('new'))
    const closed = plugin.close()
    await assert.rejects(updated, { code: 'ERR_EXTISM_CLOSED' })
    await closed
  })
})
