import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { guest } from '../helpers.js'
import { USER, asking, made, textOf } from './making.js'

/** Has a plugin ask `f` with an input: the output of `ask`. */
async function ask (t, f, input = 'input', ...rest) {
  return (await asking(t, f)).call('ask', input, ...rest)
}

describe('arguments and results of a host function', () => {
  const TYPES = { i32: [-7, 2 ** 31 - 1], i64: [-7n, 2n ** 63n - 1n, -(2n ** 63n)], f32: [0.5, -Infinity], f64: [0.1, Number.MAX_VALUE] }
  for (const [type, values] of Object.entries(TYPES)) {
    test(`${type}: ${typeof values[0]}s`, async t => {
      const code = guest('(func (export "run") (call $take (call $make)))', {
        user: `(import USER "make" (func $make (result ${type}))) (import USER "take" (func $take (param ${type})))`
      })
      let value, taken
      const plugin = await made(t, code, { functions: { [USER]: { make: () => value, take: (context, ...args) => { taken = args } } } })
      for (value of values) {
        await plugin.call('run')
        assert.deepEqual(taken, [value])
        plugin.callSync('run')
        assert.deepEqual(taken, [value])
      }
    })
  }

  test('there may be none, or several of each', async t => {
    const code = guest('(func (export "run") (call $none) (call $take (call $make)))', {
      user: '(import USER "none" (func $none)) (import USER "make" (func $make (result i32 i64))) (import USER "take" (func $take (param i32 i64)))'
    })
    const seen = []
    const none = (context, ...args) => { seen.push(args) }
    await (await made(t, code, { functions: { [USER]: { none, take: none, make: () => [1, 2n] } } })).call('run')
    assert.deepEqual(seen, [[], [1, 2n]])
  })

  test('nothing where there is to be a number is 0; what is no number fails the call', async t => {
    const code = guest('(func (export "run") (call $take (call $make)))', { user: '(import USER "make" (func $make (result i32))) (import USER "take" (func $take (param i32)))' })
    let value, taken
    const plugin = await made(t, code, { functions: { [USER]: { make: () => value, take: (context, number) => { taken = number } } } })
    await plugin.call('run')
    assert.equal(taken, 0)
    for (value of ['x', {}, Symbol('x')]) await assert.rejects(plugin.call('run'), { name: 'TypeError', message: /"make"/ })
  })

  test('any promise is awaited, not only those of async functions', async t => {
    for (const f of [async (context, address) => address, (context, address) => Promise.resolve(address), (context, address) => ({ then: resolve => setImmediate(resolve, address) })]) {
      assert.equal(await textOf(ask(t, f)), 'input')
    }
  })

  test('callSync cannot wait for a promise', async t => {
    const plugin = await asking(t, async () => 0n)
    assert.throws(() => plugin.callSync('ask'), { code: 'ERR_EXTISM_ASYNC' })
  })
})

describe('context.hostContext()', () => {
  test('is what the call was given, the very same, and null without or afterwards', async t => {
    const seen = []
    let kept
    const plugin = await asking(t, context => {
      kept = context
      seen.push(context.hostContext())
      return 0n
    })
    const given = { a: 1 }
    await plugin.call('tell', '', given)
    plugin.callSync('tell', '', given)
    await plugin.call('tell', '', 0)
    await plugin.call('tell')
    plugin.callSync('tell')
    assert.deepEqual(seen.map((value, i) => i < 2 ? value === given : value), [true, true, 0, null, null])
    assert.equal(kept.hostContext(), null)
  })

  test('stays there after a wait, whatever else is called', async t => {
    const plugin = await asking(t, async context => {
      await new Promise(setImmediate)
      return context.store(context.hostContext())
    })
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(each => textOf(plugin.call('ask', '', each)))), ['a', 'b', 'c'])
  })
})

describe('the memory of a context', () => {
  test('read(address) is the block, as a PluginOutput', async t => {
    await ask(t, (context, address) => {
      const block = context.read(address)
      assert.ok(block instanceof DataView)
      assert.equal(block.text(), 'input')
      assert.deepEqual([block.byteLength, block.arrayBuffer().byteLength], [5, 5])
      assert.equal(context.read(Number(address)).text(), 'input')
      assert.throws(() => block.setUint8(0, 0), { message: 'Cannot set values on output' })
      return 0n
    })
  })

  test('read of 0 and of what is no address of a block is null, and its length 0n', async t => {
    await ask(t, (context, address) => {
      for (const unknown of [0n, 0, address + 1n, 2n ** 40n]) {
        assert.equal(context.read(unknown), null)
        assert.equal(context.length(unknown), 0n)
      }
      return 0n
    })
  })

  test('what is written to bytes() reaches the plugin', async t => {
    const write = (context, address) => {
      context.read(address).bytes().set(Buffer.from('IN'))
      return address
    }
    assert.equal(await textOf(ask(t, write)), 'INput')
    const late = async (context, address) => {
      const block = context.read(address)
      await new Promise(setImmediate)
      block.bytes().fill(0x78)
      return address
    }
    assert.equal(await textOf(ask(t, late)), 'xxxxx')
  })

  test('store(input) makes a block of a string or of bytes', async t => {
    const bytes = Uint8Array.from([0, 1, 255]).subarray(1)
    for (const [input, expected] of [['tëxt', Buffer.from('tëxt')], [bytes, [1, 255]], [bytes.buffer, [0, 1, 255]], [Buffer.from('b'), [98]]]) {
      const output = await ask(t, context => {
        const address = context.store(input)
        assert.equal(typeof address, 'bigint')
        assert.equal(context.length(address), BigInt(expected.length))
        return address
      })
      assert.deepEqual([...output.bytes()], [...expected])
    }
  })

  test('store of nothing fails in these words', async t => {
    await ask(t, context => {
      for (const nothing of [undefined, null]) assert.throws(() => context.store(nothing), { name: 'Error', message: 'failed to store output' })
      assert.throws(() => context.store(5), { name: 'TypeError' })
      return 0n
    })
  })

  test('alloc(size) makes a block of zeros', async t => {
    const output = await ask(t, context => {
      const address = context.alloc(3)
      assert.equal(typeof address, 'bigint')
      assert.notEqual(address, context.alloc(3n))
      context.read(address).bytes()[1] = 7
      return address
    })
    assert.deepEqual([...output.bytes()], [0, 7, 0])
    await ask(t, context => {
      for (const size of [-1, -1n, 0.5, NaN]) assert.throws(() => context.alloc(size), { name: 'RangeError' })
      for (const size of ['1', undefined]) assert.throws(() => context.alloc(size), { name: 'TypeError' })
      return 0n
    })
  })

  test('a block of no bytes has an address, and can be read', async t => {
    for (const make of [context => context.store(''), context => context.store(new Uint8Array()), context => context.alloc(0)]) {
      const output = await ask(t, context => {
        const address = make(context)
        assert.notEqual(address, 0n)
        assert.equal(context.length(address), 0n)
        return address
      })
      assert.equal(output.byteLength, 0)
      await ask(t, context => {
        assert.equal(context.read(make(context))?.text(), '')
        return 0n
      })
    }
  })

  test('is out of reach once the host function has returned', async t => {
    let kept
    await ask(t, (...args) => {
      kept = args
      return 0n
    })
    const [context, address] = kept
    for (const use of [() => context.read(address), () => context.store('x'), () => context.alloc(1), () => context.length(address)]) {
      assert.throws(use, { code: 'ERR_EXTISM_STALE' })
    }
  })
})

describe('context.setError(error)', () => {
  for (const [form, error] of Object.entries({ 'a string': 'tröuble', 'an Error': new TypeError('tröuble') })) {
    test(`fails the call with ${form}, whatever the plugin returns`, async t => {
      const plugin = await asking(t, (context, address) => {
        context.setError(error)
        return address
      })
      for (const name of ['ask', 'tell']) {
        await assert.rejects(plugin.call(name), { name: 'ExtismError', code: 'ERR_EXTISM_GUEST', message: 'Plugin-originated error: tröuble' })
      }
      assert.throws(() => plugin.callSync('ask'), { message: 'Plugin-originated error: tröuble' })
      assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
    })
  }

  test('needs an error', async t => {
    await ask(t, context => {
      for (const none of [undefined, null, '']) assert.throws(() => context.setError(none), { name: 'Error', message: 'could not store error value' })
      return 0n
    })
  })

  test('needs a call', async t => {
    let kept
    await ask(t, context => {
      kept = context
      return 0n
    })
    assert.throws(() => kept.setError('late'), { message: 'could not store error value' })
  })
})

test('the host context of a callSync is that of its own call, also around another one', async t => {
  const seen = []
  const contexts = []
  const plugin = await asking(t, (context, address) => {
    contexts.push(context)
    if (context.read(address).text() === 'outer') plugin.callSync('tell', 'inner', 'inner context')
    seen.push(context.hostContext())
    return 0n
  }, { instances: 2 })
  plugin.callSync('tell', 'outer', 'outer context')
  assert.deepEqual(seen, ['inner context', 'outer context'])
  plugin.callSync('tell', 'inner', 'third')
  assert.deepEqual(contexts.map(context => context.hostContext()), [null, null, null])
})
