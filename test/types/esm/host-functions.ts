// Everything about host functions, as an ES module sees it. It is only type-checked, never run.

import { CurrentPlugin, HostFunction, ValType, memoryGet } from 'extism-napi'
import type { HostFunctionCallback, LegacyCurrentPlugin, MemoryGetOptions, Value } from 'extism-napi'
import { expectType } from './exact.js'
import { store } from './store.js'

// ValType and Value

expectType<0 | 1 | 2 | 3 | 4 | 5 | 6>()(null as unknown as ValType, true)
const numbers: [0, 1, 2, 3, 4, 5, 6] = [
  ValType.I32,
  ValType.I64,
  ValType.F32,
  ValType.F64,
  ValType.V128,
  ValType.FuncRef,
  ValType.ExternRef
]
const i64: Value<ValType.I64> = { t: ValType.I64, v: { i64: 2n ** 60n } }
const values: Value[] = [
  i64,
  { t: ValType.I32, v: { i32: numbers.length } },
  { t: ValType.F32, v: { f32: 0.5 } },
  { t: ValType.F64, v: { f64: 0.5 } }
]
for (const value of values) {
  if (value.t === ValType.I64) expectType<number | bigint>()(value.v.i64, true)
  if (value.t === ValType.F32) expectType<number>()(value.v.f32, true)
}

// @ts-expect-error: the object is frozen
ValType.I32 = 1
// @ts-expect-error: one name too many: there is no such type
values.push({ t: 7, v: { i64: 0 } })
// @ts-expect-error: type and number do not go together
values.push({ t: ValType.I32, v: { i64: 0 } })

// HostFunction

export const inferred = new HostFunction(
  'inferred',
  [ValType.I32, ValType.I64, ValType.F32, ValType.F64],
  [ValType.I64],
  (plugin, inputs, outputs, prefix, limit) => {
    expectType<LegacyCurrentPlugin>()(plugin, true)
    expectType<number>()(inputs[0].v.i32, true)
    expectType<number | bigint>()(inputs[1].v.i64, true)
    expectType<number>()(inputs[2].v.f32, true)
    expectType<number>()(inputs[3].v.f64, true)
    expectType<string>()(prefix, true)
    expectType<number>()(limit, true)
    outputs[0].v.i64 = BigInt(inputs[1].v.i64) + 1n
    outputs[0].v.i64 = inputs[0].v.i32
    outputs[0] = inputs[1]
    // @ts-expect-error: the first input is an i32
    plugin.memory(inputs[0].v.i64)
    // @ts-expect-error: there are four inputs
    plugin.memory(inputs[4].v.i64)
    // @ts-expect-error: there is one output
    outputs[1].v.i64 = 0
    // @ts-expect-error: an output of another type
    outputs[0] = inputs[0]
    // @ts-expect-error: an i64 is a number or a bigint
    outputs[0].v.i64 = 'text'
  },
  'prefix',
  10
)

const waiting = new HostFunction('waiting', [ValType.I64], [ValType.I64], async (plugin, [key], [value]) => {
  const name = plugin.inputString(key)
  await new Promise(resolve => setTimeout(resolve, 10))
  plugin.returnString(value, name)
})

const callback: HostFunctionCallback<[ValType.I64], [ValType.I64], [Map<string, string>]> =
  (plugin, inputs, outputs, texts) => {
    expectType<Buffer>()(plugin.memory(inputs[0].v.i64), true)
    expectType<Buffer>()(plugin.inputBytes(inputs[0]), true)
    expectType<string>()(plugin.inputString(inputs[0]), true)
    expectType<number>()(plugin.memoryLength(inputs[0].v.i64), true)
    const offset = plugin.memoryAlloc(8)
    expectType<number>()(offset, true)
    plugin.memory(offset).write(texts.get('key') ?? '')
    outputs[0].v.i64 = offset
    plugin.memoryFree(BigInt(offset))
    plugin.returnString(outputs[0], 'text')
    plugin.returnBytes(outputs[0], new Uint8Array(2))
    // @ts-expect-error: text goes through returnString
    plugin.returnBytes(outputs[0], 'text')
    // @ts-expect-error: bytes go through returnBytes
    plugin.returnString(outputs[0], new Uint8Array(2))
    // @ts-expect-error: an offset is no text
    plugin.memory('0')
  }
const apart = new HostFunction('apart', [ValType.I64], [ValType.I64], callback, new Map())

// A callback for any signature.
const logging: HostFunctionCallback = (plugin, inputs, outputs, ...userData) => {
  for (const { t, v } of [...inputs, ...outputs]) console.log(t, v, userData)
}
function loose (plugin: LegacyCurrentPlugin, inputs: Value[], outputs: Value[]) {
  const [key] = inputs
  const [value] = outputs
  if (key?.t === ValType.I64 && value?.t === ValType.I64) plugin.returnBytes(value, plugin.inputBytes(key))
}
export const functions: HostFunction[] = [
  inferred,
  waiting,
  apart,
  new HostFunction('logging', [ValType.F64], [], logging),
  new HostFunction('loose', [ValType.I64], [ValType.I64], loose).withNamespace('env'),
  new HostFunction('idle', [], [], () => {}),
  new HostFunction('untyped', [ValType.I64], [ValType.I64], (plugin: any, inputs: any[], outputs: any[]) => {})
]
inferred.setNamespace('env')
inferred.free()
expectType<string>()(inferred.name, true)

// @ts-expect-error: V128 cannot be passed
functions.push(new HostFunction('name', [ValType.V128], [], () => {}))
// @ts-expect-error: ExternRef cannot be returned
functions.push(new HostFunction('name', [], [ValType.ExternRef], () => {}))
// @ts-expect-error: types are not named by strings
functions.push(new HostFunction('name', ['I64'], [], () => {}))
// @ts-expect-error: results go into outputs
functions.push(new HostFunction('name', [], [ValType.I32], () => 1))
// @ts-expect-error: the function is missing
functions.push(new HostFunction('name', [], []))
// @ts-expect-error: the callback wants a map as its user data
functions.push(new HostFunction('name', [ValType.I64], [ValType.I64], callback, 'text'))
// @ts-expect-error: the callback wants an i64
functions.push(new HostFunction('name', [ValType.I32], [ValType.I64], callback, new Map()))
// @ts-expect-error: the name stays
inferred.name = 'other'
// @ts-expect-error: only host functions get one
export const current = new CurrentPlugin()

// memoryGet

const reading: MemoryGetOptions = { missing: 'error' }
functions.push(
  memoryGet('a', store),
  memoryGet('b', store, {}),
  memoryGet('c', store, reading),
  memoryGet('d', store, { missing: 'empty' }),
  memoryGet('e', store, { missing: 'absent' }).withNamespace('env')
)

// @ts-expect-error: a Map is not a store
memoryGet('name', new Map([['key', 'value']]))
// @ts-expect-error: there is no such way
memoryGet('name', store, { missing: 'throw' })
// @ts-expect-error: the options are an object
memoryGet('name', store, 'error')
