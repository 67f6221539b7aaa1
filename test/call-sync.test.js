import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { CurrentPlugin, ExtismError, HostFunction, Plugin, Store, ValType, memoryGet } from '../index.js'
import { answering, holding, outcomes } from './answering.js'
import { guest, pluginBytes, wat } from './helpers.js'
import { asking } from './legacy/asking.js'

const modern = (options, manifest) => new Plugin({ wasm: [{ data: pluginBytes('modern.wat') }], ...manifest }, false, [], undefined, null, options)
const thrownBy = f => {
  try { f() } catch (error) { return error }
  assert.fail('nothing was thrown')
}

describe('callSync', () => {
  test('gives the output of a call: a Buffer of its own', () => {
    const plugin = modern()
    const output = plugin.callSync('echo', 'text 💜')
    assert.ok(Buffer.isBuffer(output))
    assert.equal(String(output), 'text 💜')
    output.fill(0)
    const bytes = Buffer.from([0, 255, 128])
    for (const input of [bytes, new Uint8Array(bytes), new Uint8Array(bytes).buffer]) assert.deepEqual(plugin.callSync('echo', input), bytes)
    assert.ok(plugin.callSync('echo', Buffer.alloc(1 << 20, 'ab')).equals(Buffer.alloc(1 << 20, 'ab')))
    for (const [name, input] of [['nothing', 'x'], ['echo', ''], ['echo', undefined]]) assert.equal(plugin.callSync(name, input).length, 0)
    plugin.free()
  })

  test('works as soon as the plugin is made, with and without a cache', () => {
    for (const cache of [true, false]) {
      const plugin = modern({ cache })
      assert.equal(String(plugin.callSync('echo', 'at once')), 'at once')
      plugin.free()
    }
  })

  test('throws what call rejects with', async () => {
    const plugin = modern(undefined, { timeout_ms: 50 })
    for (const [name, input] of [['refuse', 'no'], ['seven', ''], ['trap', ''], ['recurse', ''], ['spin', ''], ['nowhere', ''], ['trap', 5], [5, '']]) {
      const expected = await plugin.call(name, input).catch(error => error)
      const error = thrownBy(() => plugin.callSync(name, input))
      assert.equal(error instanceof ExtismError, expected instanceof ExtismError)
      for (const property of ['name', 'code', 'message', 'plugin', 'function', 'exitCode']) assert.deepEqual(error[property], expected[property], `${name}: ${property}`)
    }
    await plugin.close()
    assert.throws(() => plugin.callSync('echo'), { name: 'ExtismError', code: 'ERR_EXTISM_CLOSED' })
  })

  test('throws the reason where no instance can be made, again and again', async () => {
    const plugin = new Plugin({ wasm: [{ data: wat('(module (memory 1) (data (i32.const 65536) "beyond") (func (export "run")))') }] })
    for (let i = 0; i < 3; i++) {
      assert.throws(() => plugin.callSync('run'), { code: 'ERR_EXTISM_INSTANCE' })
      await assert.rejects(plugin.call('run'), { code: 'ERR_EXTISM_INSTANCE' })
    }
    await plugin.close()
  })

  test('goes on after a trap, on a fresh instance', () => {
    const plugin = modern()
    for (let i = 1; i <= 20; i++) {
      assert.equal(String(plugin.callSync('count')), '1')
      assert.equal(String(plugin.callSync('count')), '2')
      assert.throws(() => plugin.callSync('trap'), { code: 'ERR_EXTISM_TRAP' })
      assert.equal(plugin.stats().replaced, i)
    }
    plugin.free()
  })

  test('has a timeoutMs, in place of the manifest\'s', () => {
    const plugin = modern(undefined, { timeout_ms: 20 })
    assert.throws(() => plugin.callSync('spin', '', { timeoutMs: 10 }), { code: 'ERR_EXTISM_TIMEOUT', message: /10 ms/ })
    assert.throws(() => plugin.callSync('spin'), { code: 'ERR_EXTISM_TIMEOUT', message: /20 ms/ })
    for (const timeoutMs of [0, Infinity, 60_000]) assert.equal(String(plugin.callSync('echo', 'x', { timeoutMs })), 'x')
    for (const none of [undefined, null, {}]) assert.equal(String(plugin.callSync('echo', 'x', none)), 'x')
    for (const bad of ['5', {}]) assert.throws(() => plugin.callSync('echo', '', { timeoutMs: bad }), { name: 'TypeError', message: /timeoutMs/ })
    assert.throws(() => plugin.callSync('echo', '', { timeoutMs: -1 }), { name: 'RangeError', message: /timeoutMs/ })
    plugin.free()
  })

  test('reads a store, and is counted', () => {
    const code = guest('(func (export "get") (call $give (call $get (call $input))))', { user: '(import USER "get" (func $get (param i64) (result i64)))' })
    const plugin = new Plugin(code, false, [memoryGet('get', new Store([['key', 'value']]))])
    assert.equal(String(plugin.callSync('get', 'key')), 'value')
    const { calls, errors, active } = plugin.stats()
    assert.deepEqual({ calls, errors, active }, { calls: 1, errors: {}, active: 0 })
    plugin.free()
  })
})

describe('callSync and call', () => {
  test('share an instance and its state, in any order', async () => {
    const plugin = modern()
    for (let i = 1; i <= 200; i++) {
      const sync = (i * 7) % 3 === 0
      const output = sync ? plugin.callSync('count') : await plugin.call('count')
      assert.equal(output[0], 48 + i, `call ${i}`)
    }
    assert.equal(plugin.stats().instances, 1)
    await plugin.close()
  })

  test('calls that were made before the end of a callSync are run after it', async () => {
    const calls = []
    const plugin = answering(text => {
      calls.push(other.call('echo', text))
      return text
    })
    const other = modern()
    assert.equal(String(plugin.callSync('ask', 'x')), 'x')
    assert.deepEqual(await outcomes(calls), ['x'])
    await Promise.all([plugin.close(), other.close()])
  })

  test('a busy plugin is ERR_EXTISM_BUSY at once, and the call that runs goes on', async () => {
    const { plugin, question } = holding()
    const running = plugin.call('ask', 'running')
    const { resolve } = await question()
    const waiting = plugin.call('echo', 'waiting')
    for (let i = 0; i < 10; i++) assert.throws(() => plugin.callSync('echo'), { name: 'ExtismError', code: 'ERR_EXTISM_BUSY', message: /^Plugin error: / })
    resolve()
    assert.deepEqual(await outcomes([running, waiting]), ['running', 'waiting'])
    assert.equal(String(plugin.callSync('echo', 'free')), 'free')
    await plugin.close()
  })

  test('with two instances, one of which is busy, callSync runs on the other', async () => {
    const { plugin, question } = holding({ instances: 2 })
    // The instance that is there takes both calls, so that the other one is yet to be made.
    assert.equal(String(plugin.callSync('echo', 'first')), 'first')
    const running = plugin.call('ask', 'running')
    const { resolve } = await question()
    assert.equal(String(plugin.callSync('echo', 'free')), 'free')
    resolve()
    assert.equal(String(await running), 'running')
    await plugin.close()
  })

  test('a cancelled call is over once its promise has rejected', async () => {
    const { plugin, question } = holding()
    for (let i = 0; i < 20; i++) {
      const running = plugin.call('ask', 'running')
      await question()
      plugin.cancelHandle().cancel()
      await assert.rejects(running, { code: 'ERR_EXTISM_CANCELLED' })
      assert.equal(String(plugin.callSync('count')), '1')
    }
    await plugin.close()
  })
})

describe('a host function during callSync', () => {
  test('is called directly', () => {
    const order = []
    const plugin = answering(text => {
      order.push(text)
      return `${text}!`
    })
    process.nextTick(() => order.push('tick'))
    Promise.resolve().then(() => order.push('microtask'))
    for (const text of ['a', 'b']) order.push(String(plugin.callSync('ask', text)))
    assert.deepEqual(order, ['a', 'a!', 'b', 'b!'])
    plugin.free()
  })

  test('that throws fails the call, with what it threw as the cause, and no other', async () => {
    const thrown = [new RangeError('boom'), { an: 'object' }, 'text', null, Symbol('s')]
    const plugin = answering(text => { throw thrown[Number(text)] })
    thrown.forEach((cause, i) => {
      const error = thrownBy(() => plugin.callSync('ask', `${i}`))
      assert.equal(error.code, 'ERR_EXTISM_HOST_FUNCTION')
      assert.equal(error.cause, cause)
      assert.equal(String(plugin.callSync('count')), '1')
    })
    assert.match(thrownBy(() => plugin.callSync('ask', '0')).message, /^Plugin error: host function "answer": boom/)
    await plugin.close()
  })

  test('that is async fails the call with ERR_EXTISM_ASYNC, also if it rejects, and the plugin is usable', async () => {
    const plugin = answering(async text => {
      if (text === 'reject') throw new Error('on purpose')
      return text
    })
    for (const text of ['fulfil', 'reject']) {
      const error = thrownBy(() => plugin.callSync('ask', text))
      assert.deepEqual([error.code, error.cause.name, error.cause.code], ['ERR_EXTISM_HOST_FUNCTION', 'ExtismError', 'ERR_EXTISM_ASYNC'])
      await new Promise(setImmediate)
      assert.equal(String(plugin.callSync('echo', 'usable')), 'usable')
      assert.equal(String(await plugin.call('ask', 'async')), 'async')
    }
    await plugin.close()
  })

  test('cannot call its own plugin: an error at once, with one instance and with two', async () => {
    for (const instances of [1, 2]) {
      let again = () => plugin.callSync('echo', 'within')
      const plugin = answering(() => again(), { instances })
      if (instances === 1) {
        assert.equal(thrownBy(() => plugin.callSync('ask')).cause.code, 'ERR_EXTISM_BUSY')
        assert.equal((await plugin.call('ask').catch(error => error)).cause.code, 'ERR_EXTISM_BUSY')
      }
      const calls = []
      again = () => { calls.push(plugin.call('echo', 'within')) }
      plugin.callSync('ask')
      assert.deepEqual(await outcomes(calls), instances === 1 ? ['ERR_EXTISM_REENTRANT'] : ['within'])
      assert.equal(String(plugin.callSync('echo', 'usable')), 'usable')
      await plugin.close()
    }
  })

  test('can call other plugins, whose host functions can call others', () => {
    const plugins = []
    for (let depth = 0; depth < 10; depth++) {
      plugins.push(answering((text, current) => {
        const inner = depth === 0 ? text : String(plugins[depth - 1].callSync('ask', text))
        const block = current.memoryAlloc(4)
        current.memory(block).write('kept')
        assert.equal(current.memoryLength(block), 4)
        return `${inner}${depth}`
      }))
    }
    assert.equal(String(plugins[9].callSync('ask', '>')), '>0123456789')
    for (const plugin of plugins) plugin.free()
  })

  test('can use its CurrentPlugin within the host function of another plugin that it calls', async () => {
    let outer
    const inner = answering(text => `${text} ${outer.memoryLength(outer.memoryAlloc(7))}`)
    const plugin = answering((text, current) => {
      outer = current
      return String(inner.callSync('ask', text))
    })
    assert.equal(String(await plugin.call('ask', 'call')), 'call 7')
    assert.equal(String(plugin.callSync('ask', 'callSync')), 'callSync 7')
    await Promise.all([plugin.close(), inner.close()])
  })

  test('can cancel its call, and close its plugin', async () => {
    let act = () => plugin.cancelHandle().cancel()
    const plugin = answering(text => {
      act()
      return text
    })
    assert.throws(() => plugin.callSync('spin'), { code: 'ERR_EXTISM_CANCELLED' })
    assert.equal(String(plugin.callSync('count')), '1')
    let closed
    act = () => { closed = plugin.close() }
    assert.equal(String(plugin.callSync('ask', 'to the end')), 'to the end')
    await closed
  })

  test('that takes too long ends with the timeout of the call', () => {
    const plugin = answering(text => {
      for (const start = Date.now(); Date.now() - start < 50;);
      return text
    })
    assert.throws(() => plugin.callSync('ask', '', { timeoutMs: 10 }), { code: 'ERR_EXTISM_TIMEOUT' })
    assert.equal(String(plugin.callSync('echo', 'after')), 'after')
    plugin.free()
  })

  test('answers also where nothing else holds the plugin', () => {
    const answer = new HostFunction('answer', [], [], () => {})
    for (let i = 0; i < 50; i++) new Plugin(guest('(func (export "run") (call $answer))', { user: '(import USER "answer" (func $answer))' }), false, [answer]).callSync('run')
  })
})

describe('a CurrentPlugin during callSync', () => {
  const { I64 } = ValType
  const ask = (f, input = 'input', name = 'ask') => {
    const plugin = asking(f)
    const output = plugin.callSync(name, input)
    plugin.free()
    return String(output)
  }

  test('has all its methods', () => {
    const output = ask((current, inputs, outputs) => {
      const [input] = inputs
      assert.ok(current instanceof CurrentPlugin)
      assert.equal(input.t, I64)
      assert.equal(current.memory(input.v.i64).toString(), 'input')
      assert.equal(current.inputString(input), 'input')
      assert.deepEqual(current.inputBytes(input), Buffer.from('input'))
      assert.equal(current.memoryLength(input.v.i64), 5)
      const block = current.memoryAlloc(3)
      assert.deepEqual(current.memory(block), Buffer.alloc(3))
      current.memoryFree(block)
      assert.equal(current.memoryLength(block), 0)
      assert.equal(current.memory(0).length, 0)
      current.returnBytes(outputs[0], Buffer.from('bytes'))
      assert.equal(current.inputString(outputs[0]), 'bytes')
      current.returnString(outputs[0], 'text')
    })
    assert.equal(output, 'text')
  })

  test('writes what is written, in small and large blocks', () => {
    assert.equal(ask((current, [input]) => { current.memory(input.v.i64).write('IN') }, 'input', 'through'), 'INput')
    assert.equal(ask((current, inputs, outputs) => {
      const block = current.memoryAlloc(1 << 20)
      current.memory(block).fill('x')
      outputs[0].v.i64 = block
    }), 'x'.repeat(1 << 20))
  })

  test('is stale once the host function has returned or thrown, also while the call goes on', () => {
    const METHODS = {
      memory: (current, input) => current.memory(input.v.i64),
      memoryAlloc: current => current.memoryAlloc(1),
      memoryFree: (current, input) => current.memoryFree(input.v.i64),
      memoryLength: (current, input) => current.memoryLength(input.v.i64),
      returnString: (current, input) => current.returnString(input, 'x'),
      returnBytes: (current, input) => current.returnBytes(input, Buffer.from('x')),
      inputBytes: (current, input) => current.inputBytes(input),
      inputString: (current, input) => current.inputString(input)
    }
    const stale = { name: 'ExtismError', code: 'ERR_EXTISM_STALE' }
    const check = kept => { for (const use of Object.values(METHODS)) assert.throws(() => use(...kept), stale) }
    let kept
    ask((current, [input]) => {
      if (kept) check(kept)
      kept = [current, { t: I64, v: { ...input.v } }]
      current.memory(input.v.i64)
    }, 'input', 'twice')
    check(kept)
    assert.throws(() => ask((current, [input]) => {
      kept = [current, { t: I64, v: { ...input.v } }]
      throw new Error('boom')
    }))
    check(kept)
  })

  test('a Buffer of it that is kept changes nothing for the plugin', () => {
    let kept
    const plugin = asking((current, [input]) => {
      if (kept) kept.fill('!')
      else kept = current.memory(input.v.i64)
    })
    assert.equal(String(plugin.callSync('twice', 'input')), 'input')
    kept.fill('?')
    assert.equal(String(plugin.callSync('through', 'later')), 'later')
    plugin.free()
    kept.fill('!')
  })
})
