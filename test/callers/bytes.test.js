import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin, Store, ValType } from '../../index.js'
import { signal } from '../helpers.js'
import { CODE, asking, textOf } from '../modern/making.js'

const fixed = () => new Uint8Array(Buffer.from('abcd')).buffer
const resizable = () => {
  const buffer = new ArrayBuffer(4, { maxByteLength: 64 })
  new Uint8Array(buffer).set(Buffer.from('abcd'))
  return buffer
}
const shared = () => {
  const buffer = new SharedArrayBuffer(4, { maxByteLength: 64 })
  new Uint8Array(buffer).set(Buffer.from('abcd'))
  return buffer
}

/** What a caller can do to bytes it has given away. */
const CHANGES = {
  'filled with something else': { change: buffer => new Uint8Array(buffer).fill(0x78), makes: [fixed, resizable, shared] },
  transferred: { change: buffer => structuredClone(buffer, { transfer: [buffer] }), makes: [fixed, resizable] },
  'resized to nothing': { change: buffer => buffer.resize(0), makes: [resizable] },
  'resized to more': { change: buffer => buffer.resize(64), makes: [resizable] },
  grown: { change: buffer => buffer.grow(64), makes: [shared] }
}

/** Views that have all of it, and one that goes on with its buffer. */
const VIEWS = [buffer => buffer, buffer => new Uint8Array(buffer), buffer => new Uint8Array(buffer, 0, 4), buffer => new DataView(buffer, 0, 4)]

for (const [how, { change, makes }] of Object.entries(CHANGES)) {
  describe(`bytes that are ${how} as soon as they are given`, () => {
    const each = f => Promise.all(makes.flatMap(make => VIEWS.map(view => {
      const buffer = make()
      const seen = f(view(buffer))
      change(buffer)
      return seen
    })))
    const asGiven = texts => assert.deepEqual(new Set(texts), new Set(['abcd']))

    test('are what a call in the queue of a plugin of 2023 sees', async () => {
      const [released, release] = signal()
      const plugin = new Plugin(CODE, false, [new HostFunction('answer', [ValType.I64], [ValType.I64], () => released)])
      const first = plugin.call('tell')
      const all = each(async bytes => String(await plugin.call('echo', bytes)))
      release()
      asGiven(await all)
      await first
      await plugin.close()
    })

    test('are what a call in the queue of a plugin of createPlugin sees', async t => {
      const [released, release] = signal()
      const plugin = await asking(t, () => released)
      const first = plugin.call('tell')
      const all = each(bytes => textOf(plugin.call('echo', bytes)))
      release()
      asGiven(await all)
      await first
    })

    test('are what a store has', async () => {
      const store = new Store()
      asGiven(await each(bytes => store.set('key', bytes).get('key').toString()))
    })

    test('are what a variable and a block have', async t => {
      const plugin = await asking(t, async context => {
        asGiven(await each(bytes => {
          context.setVariable('name', bytes)
          return context.getVariable('name').text()
        }))
        asGiven(await each(bytes => context.read(context.store(bytes)).text()))
        return context.store('done')
      })
      assert.equal(await textOf(plugin.call('ask')), 'done')
    })
  })
}

test('bytes that options take away are none, or what is left, and the plugin serves on', async t => {
  const plugin = await asking(t)
  for (const [make, change] of [[fixed, CHANGES.transferred.change], [resizable, CHANGES['resized to nothing'].change]]) {
    for (const method of ['call', 'callSync']) {
      const buffer = make()
      const options = { get signal () { return void change(buffer) } }
      assert.equal((await plugin[method]('echo', new Uint8Array(buffer), null, options))?.text(), '')
    }
  }
  assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
})

test('what a call gave can be transferred, and the next call has its own', async t => {
  const plugin = await asking(t)
  const legacy = new Plugin(CODE, false, [new HostFunction('answer', [ValType.I64], [ValType.I64], () => {})])
  // Small Buffers share memory, which Node.js transfers to nobody.
  const unpooled = 'x'.repeat(Buffer.poolSize)
  for (let i = 0; i < 10; i++) {
    for (const give of [() => plugin.call('echo', 'abcd'), () => plugin.callSync('echo', 'abcd'), () => legacy.call('echo', unpooled), () => legacy.callSync('echo', unpooled)]) {
      const { buffer } = await give()
      assert.equal(buffer.byteLength >= 4, true)
      structuredClone(buffer, { transfer: [buffer] })
    }
  }
  assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
  await legacy.close()
})
