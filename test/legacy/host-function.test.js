import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { CurrentPlugin, HostFunction, Plugin, ValType } from '../../index.js'
import { ERAS, guest, pluginBytes, signal } from '../helpers.js'

const { I64 } = ValType

/** `ask` gives what the host function `answer` makes of the input. */
const ASKING = `
  (func (export "ask") (call $give (call $answer (call $input))))
  (func (export "echo") (call $give (call $input)))`
const ANSWER = '(import USER "answer" (func $answer (param i64) (result i64)))'

function asking (f, { era = 'modern', userData = [], timeoutMs } = {}) {
  const data = guest(ASKING, { user: ANSWER, era })
  const answer = new HostFunction('answer', [I64], [I64], f, ...userData)
  return new Plugin({ wasm: [{ data }], timeoutMs }, false, [answer])
}

function shout (plugin, inputs, outputs) {
  plugin.returnString(outputs[0], plugin.inputString(inputs[0]).toUpperCase())
}

for (const era of Object.keys(ERAS)) {
  describe(`new HostFunction(name, inputs, outputs, f, ...userData) for a plugin of the ${era} era`, () => {
    test('f gets the current plugin, inputs, outputs and the user data', async () => {
      const userData = ['text', { object: true }, undefined]
      const plugin = asking((...args) => {
        const [current, inputs, outputs, ...rest] = args
        assert.ok(current instanceof CurrentPlugin)
        assert.equal(inputs.length, 1)
        assert.equal(inputs[0].t, I64)
        assert.equal(typeof inputs[0].v.i64, 'number')
        assert.deepEqual(outputs, [{ t: I64, v: { i64: 0 } }])
        assert.equal(rest.length, 3)
        rest.forEach((value, i) => assert.equal(value, userData[i]))
        shout(current, inputs, outputs)
      }, { era, userData })
      assert.equal((await plugin.call('ask', 'hello')).toString(), 'HELLO')
      plugin.free()
    })

    test('f may be synchronous, async, or return a promise or anything with then', async () => {
      const bodies = [
        shout,
        async (...args) => { shout(...args) },
        async (...args) => {
          await new Promise(setImmediate)
          shout(...args)
        },
        (...args) => new Promise(resolve => setImmediate(() => resolve(shout(...args)))),
        (...args) => ({ then: resolve => setImmediate(() => resolve(shout(...args))) })
      ]
      for (const body of bodies) {
        const plugin = asking(body, { era })
        assert.equal((await plugin.call('ask', 'hello')).toString(), 'HELLO')
        assert.equal((await plugin.call('ask', 'again')).toString(), 'AGAIN')
        plugin.free()
      }
    })
  })
}

describe('f may be async', () => {
  test('the plugin waits, the event loop does not', async () => {
    const [started, start] = signal()
    const [released, release] = signal()
    const waiting = asking(async (...args) => {
      start()
      await released
      shout(...args)
    })
    const other = new Plugin(pluginBytes('modern.wat'))
    const call = waiting.call('ask', 'late')
    await started
    assert.equal((await other.call('echo', 'meanwhile')).toString(), 'meanwhile')
    release()
    assert.equal((await call).toString(), 'LATE')
    waiting.free()
    other.free()
  })

  test('many plugins can wait at the same time', async () => {
    const [released, release] = signal()
    let waiting = 0
    const plugins = Array.from({ length: 20 }, () => asking(async (...args) => {
      if (++waiting === 20) release()
      await released
      shout(...args)
    }))
    const outputs = await Promise.all(plugins.map((plugin, i) => plugin.call('ask', `n${i}`)))
    assert.deepEqual(outputs.map(String), plugins.map((_, i) => `N${i}`))
    for (const plugin of plugins) plugin.free()
  })

  test('what is thrown or returned after a call was over harms nothing', async () => {
    const [released, release] = signal()
    const [ended, end] = signal()
    const plugin = asking(async (current, inputs, outputs) => {
      await released
      end()
      throw new Error('nobody hears this')
    }, { timeoutMs: 50 })
    await assert.rejects(plugin.call('ask', 'x'), { code: 'ERR_EXTISM_TIMEOUT' })
    release()
    await ended
    assert.equal((await plugin.call('echo', 'after')).toString(), 'after')
    plugin.free()
  })

  test('a host function may call another plugin', async () => {
    const other = new Plugin(pluginBytes('modern.wat'))
    const plugin = asking(async (current, inputs, outputs) => {
      current.returnBytes(outputs[0], await other.call('reverse', current.inputBytes(inputs[0])))
    })
    assert.equal((await plugin.call('ask', 'abc')).toString(), 'cba')
    plugin.free()
    other.free()
  })

  test('a host function that waits for its own plugin fails the call, and the plugin goes on', async () => {
    const plugin = asking(() => plugin.call('echo', 'inner'), { timeoutMs: 100 })
    await assert.rejects(plugin.call('ask', 'outer'), { name: 'ExtismError', message: /^Plugin error: / })
    assert.equal((await plugin.call('echo', 'after')).toString(), 'after')
    plugin.free()
  })
})

describe('an exception in f', () => {
  const UNPRINTABLE = { toString () { throw new Error('no text') } }
  const THROWN = {
    'an Error': new Error('boom'),
    'a TypeError': new TypeError('boom'),
    'a string': 'boom',
    null: null,
    undefined,
    'a number': 5,
    'a symbol': Symbol('boom'),
    'an object without a text': UNPRINTABLE,
    'an Error whose message cannot be read': Object.defineProperty(new Error(), 'message', { get () { throw UNPRINTABLE } }),
    'a frozen object': Object.freeze({ boom: true }),
    'a revoked proxy': revoked()
  }

  function revoked () {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }

  for (const [kind, thrown] of Object.entries(THROWN)) {
    for (const [how, fail] of [['thrown', () => { throw thrown }], ['rejected with', () => Promise.reject(thrown)]]) {
      test(`${kind} ${how} fails the call and is its cause, and the plugin stays usable`, async () => {
        let failing = true
        const plugin = asking((...args) => failing ? fail() : shout(...args))
        const error = await plugin.call('ask', 'x').then(() => assert.fail(), error => error)
        assert.equal(error.name, 'ExtismError')
        assert.equal(error.code, 'ERR_EXTISM_HOST_FUNCTION')
        assert.match(error.message, /^Plugin error: host function "answer": /)
        assert.equal(error.function, 'ask')
        assert.ok(Object.is(error.cause, thrown))
        failing = false
        assert.equal((await plugin.call('ask', 'after')).toString(), 'AFTER')
        plugin.free()
      })
    }
  }

  test('its message is in the message of the rejection', async () => {
    const plugin = asking(() => { throw new Error('the shop is closed') })
    await assert.rejects(plugin.call('ask', 'x'), /the shop is closed/)
    plugin.free()
  })

  test('each call has its own cause', async () => {
    let count = 0
    const plugin = asking(() => { throw new Error(`${++count}`) })
    const settled = await Promise.allSettled(Array.from({ length: 50 }, () => plugin.call('ask', 'x')))
    assert.deepEqual(settled.map(({ reason }) => reason.cause.message), Array.from({ length: 50 }, (_, i) => `${i + 1}`))
    plugin.free()
  })
})
