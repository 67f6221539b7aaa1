import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin, ValType } from '../../index.js'
import { guest } from '../helpers.js'

const TYPES = { i32: ValType.I32, i64: ValType.I64, f32: ValType.F32, f64: ValType.F64 }

describe('ValType', () => {
  test('has the numbers of old', () => {
    assert.deepEqual({ ...ValType }, { I32: 0, I64: 1, F32: 2, F64: 3, V128: 4, FuncRef: 5, ExternRef: 6 })
  })

  test('V128, FuncRef and ExternRef are refused, by name', () => {
    for (const name of ['V128', 'FuncRef', 'ExternRef']) {
      const message = new RegExp(`"f": each of \\w+ must be I32, I64, F32 or F64; got .*${name}`)
      assert.throws(() => new HostFunction('f', [ValType[name]], [], () => {}), { name: /TypeError|RangeError/, message })
      assert.throws(() => new HostFunction('f', [], [ValType.I32, ValType[name]], () => {}), { message })
    }
  })

  test('what is no type at all is refused', () => {
    for (const type of [7, -1, 0.5, 'I64', undefined, null, '0']) {
      assert.throws(() => new HostFunction('f', [type], [], () => {}), { name: 'TypeError', message: /"f": each of inputs must be a ValType/ })
    }
  })
})

describe('a value { t: ValType, v: { i32, i64, f32, f64 } }', () => {
  /** For each type: `pass i64` has the plugin hand what `send i64` gives to `receive i64`. */
  const lines = Object.keys(TYPES).map(type => ({
    imports: `
      (import USER "send ${type}" (func $send_${type} (result ${type})))
      (import USER "receive ${type}" (func $receive_${type} (param ${type})))`,
    exports: `(func (export "pass ${type}") (call $receive_${type} (call $send_${type})))`
  }))
  let plugin, send, received

  before(() => {
    const functions = Object.entries(TYPES).flatMap(([type, t]) => [
      new HostFunction(`send ${type}`, [], [t], (current, inputs, outputs) => send(outputs)),
      new HostFunction(`receive ${type}`, [t], [], (current, [input]) => { received = input })
    ])
    const code = guest(lines.map(line => line.exports).join(''), { user: lines.map(line => line.imports).join('') })
    plugin = new Plugin(code, false, functions)
  })
  after(() => plugin.free())

  async function pass (type, value) {
    send = outputs => { outputs[0].v[type] = value }
    await plugin.call(`pass ${type}`)
    assert.equal(received.t, TYPES[type])
    return received.v[type]
  }

  const same = values => values.map(value => [value, value])
  const SAFE = Number.MAX_SAFE_INTEGER
  const CASES = {
    i32: [
      ...same([0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]),
      [2 ** 32 - 1, -1], [2 ** 31, -(2 ** 31)], [5n, 5], [-5n, -5]
    ],
    i64: [
      ...same([0, 1, -1, 2 ** 32, -(2 ** 32), SAFE, -SAFE]),
      ...same([2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 0x0102030405060708n]),
      [5n, 5], [-5n, -5], [BigInt(SAFE), SAFE], [2 ** 53, 2n ** 53n], [2 ** 60, 2n ** 60n],
      [2n ** 64n - 1n, -1], [2n ** 63n, -(2n ** 63n)]
    ],
    f32: [
      ...same([0, -0, 0.5, -1.25, NaN, Infinity, -Infinity, 2 ** 24, Math.fround(3.4e38), 2 ** -149]),
      [0.1, Math.fround(0.1)], [1e300, Infinity], [1e-300, 0]
    ],
    f64: same([0, -0, 0.1, -1.25, NaN, Infinity, -Infinity, SAFE, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 60])
  }
  for (const [type, cases] of Object.entries(CASES)) {
    for (const [value, expected] of cases) {
      const shown = value => Object.is(value, -0) ? '-0' : typeof value === 'bigint' ? `${value}n` : `${value}`
      test(`${type} ${shown(value)} arrives as ${shown(expected)}`, async () => {
        const arrived = await pass(type, value)
        assert.ok(Object.is(arrived, expected), `it is ${shown(arrived)}, a ${typeof arrived}`)
      })
    }
  }

  for (const type of Object.keys(TYPES)) {
    test(`an ${type} that is not assigned is 0`, async () => {
      send = () => {}
      await plugin.call(`pass ${type}`)
      assert.ok(Object.is(received.v[type], 0))
    })

    test(`a whole new object can be an ${type}`, async () => {
      send = outputs => { outputs[0] = { v: { [type]: 7 } } }
      await plugin.call(`pass ${type}`)
      assert.equal(received.v[type], 7)
    })

    const refused = ['5', undefined, null, {}, true, ...(type[0] === 'i' ? [0.5, NaN, Infinity] : [])]
    test(`what is no number fails the call, naming the ${type}`, async () => {
      for (const value of refused) {
        send = outputs => { outputs[0].v[type] = value }
        const error = await plugin.call(`pass ${type}`).then(() => assert.fail(`${value} was taken`), error => error)
        assert.equal(error.code, 'ERR_EXTISM_HOST_FUNCTION')
        assert.ok(error.cause instanceof TypeError)
        assert.match(error.message, new RegExp(`"send ${type}": outputs\\[0\\]\\.v\\.${type}`))
      }
      assert.equal(await pass(type, 1), 1)
    })
  }

  test('an output that is gone fails the call', async () => {
    for (const spoil of [outputs => { outputs.length = 0 }, outputs => { outputs[0] = undefined }, outputs => { delete outputs[0].v }]) {
      send = spoil
      await assert.rejects(plugin.call('pass i64'), { code: 'ERR_EXTISM_HOST_FUNCTION', message: /outputs\[0\]/ })
    }
    assert.equal(await pass('i64', 1), 1)
  })
})

describe('values of a function with many', () => {
  const CODE = guest(`
    (func (export "turn")
      (local $a i64) (local $b f32) (local $c f64)
      (call $turn (i32.const -7) (i64.const 0x7fffffffffffffff) (f32.const 0.5) (f64.const -0.1))
      (drop) (local.set $a) (local.set $b) (local.set $c)
      (call $see (local.get $a) (local.get $b) (local.get $c)))
    (func (export "same") (call $give (call $same (call $input))))`, {
    user: `
      (import USER "turn" (func $turn (param i32 i64 f32 f64) (result f64 f32 i64 i32)))
      (import USER "see" (func $see (param i64 f32 f64)))
      (import USER "same" (func $same (param i64) (result i64)))`
  })
  const { I32, I64, F32, F64 } = ValType
  const same = new HostFunction('same', [I64], [I64], (current, inputs, outputs) => { outputs[0] = inputs[0] })

  test('each has its place, in and out', async () => {
    const seen = []
    const turn = new HostFunction('turn', [I32, I64, F32, F64], [F64, F32, I64, I32], (current, inputs, outputs) => {
      seen.push(...inputs)
      assert.deepEqual(outputs.map(({ t }) => t), [F64, F32, I64, I32])
      outputs.forEach((_, i) => { outputs[i] = inputs[3 - i] })
    })
    const see = new HostFunction('see', [I64, F32, F64], [], (current, inputs) => { seen.push(...inputs) })
    const plugin = new Plugin(CODE, false, [turn, see, same])
    await plugin.call('turn')
    assert.deepEqual(seen, [
      { t: I32, v: { i32: -7 } }, { t: I64, v: { i64: 2n ** 63n - 1n } }, { t: F32, v: { f32: 0.5 } }, { t: F64, v: { f64: -0.1 } },
      { t: I64, v: { i64: 2n ** 63n - 1n } }, { t: F32, v: { f32: 0.5 } }, { t: F64, v: { f64: -0.1 } }
    ])
    plugin.free()
  })

  test('outputs[0] = inputs[0] works', async () => {
    const none = [new HostFunction('turn', [I32, I64, F32, F64], [F64, F32, I64, I32], () => {}), new HostFunction('see', [I64, F32, F64], [], () => {})]
    const plugin = new Plugin(CODE, false, [same, ...none])
    assert.equal((await plugin.call('same', 'through')).toString(), 'through')
    plugin.free()
  })

  test('changing the inputs changes nothing for the plugin', async () => {
    const code = guest('(func (export "ask") (local $block i64) (call $spoil (local.tee $block (call $input))) (call $give (local.get $block)))', {
      user: '(import USER "spoil" (func $spoil (param i64)))'
    })
    const spoil = new HostFunction('spoil', [I64], [], (current, inputs) => {
      inputs[0].v.i64 = 1
      inputs.length = 0
    })
    const plugin = new Plugin(code, false, [spoil])
    assert.equal((await plugin.call('ask', 'unharmed')).toString(), 'unharmed')
    plugin.free()
  })
})
