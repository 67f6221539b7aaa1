import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { CurrentPlugin, HostFunction, Plugin, ValType } from '../index.js'
import { answering, outcomes, thrownBy } from './answering.js'
import { guest } from './helpers.js'
import { asking } from './legacy/asking.js'

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
