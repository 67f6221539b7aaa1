'use strict'

const { typeError, valueError } = require('./check.cjs')
const { CurrentPlugin } = require('./current-plugin.cjs')
const { Store } = require('./store.cjs')

/** The types of a host function's parameters and results. */
const ValType = Object.freeze({ I32: 0, I64: 1, F32: 2, F64: 3, V128: 4, FuncRef: 5, ExternRef: 6 })

/** The property of a value's `v` that has a value of this type. */
const FIELDS = ['i32', 'i64', 'f32', 'f64']

const MISSING = ['absent', 'error', 'empty']

/**
 * A function that plugins can call: `f(currentPlugin, inputs, outputs, ...userData)`. It may be
 * async, or return a promise: the plugin waits, the event loop does not.
 */
class HostFunction {
  #name
  #namespace
  #body

  constructor (name, inputs, outputs, f, ...userData) {
    if (typeof name !== 'string' || name === '') throw typeError('the name of a host function', 'a non-empty string', name)
    if (typeof f !== 'function') throw typeError(`host function "${name}": f`, 'a function', f)
    this.#name = name
    this.#body = {
      params: checkTypes(name, 'inputs', inputs),
      results: checkTypes(name, 'outputs', outputs),
      f,
      userData
    }
  }

  get name () {
    return this.#name
  }

  /** The namespace plugins import it from; by default both `extism:host/user` and `env`. */
  setNamespace (namespace) {
    if (typeof namespace !== 'string' || namespace === '') throw typeError('the namespace of a host function', 'a non-empty string', namespace)
    this.#namespace = namespace
  }

  withNamespace (namespace) {
    this.setNamespace(namespace)
    return this
  }

  /** There is nothing to free; the old SDK had it. */
  free () {}

  /** @internal What the core makes of it. */
  static source (hostFunction, stores) {
    const { params, results, store, missing } = hostFunction.#body
    return {
      namespace: hostFunction.#namespace,
      name: hostFunction.#name,
      params,
      results,
      missing,
      store: store && stores.push(Store.native(store)) - 1
    }
  }

  /** @internal What the core calls, or undefined where no JavaScript is on the way. */
  static handler (hostFunction) {
    const { f, results, userData } = hostFunction.#body
    return f && (call => {
      const plugin = new CurrentPlugin(call)
      const inputs = call.inputs.map((value, i) => wrap(hostFunction.#body.params[i], value))
      const outputs = results.map(type => wrap(type, 0))
      const returned = f(plugin, inputs, outputs, ...userData)
      const unwrapAll = () => results.map((type, i) => unwrap(outputs[i], type, i))
      return typeof returned?.then === 'function' ? after(returned, unwrapAll) : unwrapAll()
    })
  }

  /** @internal See `memoryGet`. */
  static reading (name, store, missing) {
    const hostFunction = new HostFunction(name, [ValType.I64], [ValType.I64], () => {})
    hostFunction.#body = { params: [ValType.I64], results: [ValType.I64], store, missing }
    return hostFunction
  }
}

/**
 * A host function that reads a store in Rust: the plugin passes the offset of a key and gets
 * the offset of a new block with its value.
 *
 * `missing` says what a key that is not there gives: `'absent'` (the default) the offset 0,
 * `'error'` a failed call, `'empty'` an empty block.
 */
function memoryGet (name, store, options) {
  if (typeof (options ?? {}) !== 'object') throw typeError('options', 'an object', options)
  const missing = options?.missing ?? 'absent'
  if (!Store.isStore(store)) throw typeError('store', 'a Store', store)
  if (!MISSING.includes(missing)) throw valueError('missing', MISSING.map(word => `"${word}"`).join(' or '), missing)
  return HostFunction.reading(name, store, missing)
}

/** What `f` makes of what a promise gives, or of anything with a `then`, which may be the caller's own. */
async function after (promise, f) {
  return f(await promise)
}

function checkTypes (name, which, types) {
  if (!Array.isArray(types)) throw typeError(`host function "${name}": ${which}`, 'an array of ValType', types)
  for (const type of types) {
    if (!Number.isInteger(type) || type < 0 || type > ValType.ExternRef) {
      throw typeError(`host function "${name}": each of ${which}`, 'a ValType', type)
    }
    if (type > ValType.F64) {
      const known = Object.keys(ValType)[type]
      throw valueError(`host function "${name}": each of ${which}`, 'I32, I64, F32 or F64', `ValType.${known}`)
    }
  }
  return [...types]
}

/** A value as the legacy API has it: an i64 is a number while that is exact. */
function wrap (type, value) {
  const number = typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
  return { t: type, v: { [FIELDS[type]]: number } }
}

function unwrap (output, type, i) {
  const value = output?.v?.[FIELDS[type]]
  const integral = type <= ValType.I64
  if (typeof value === 'bigint' ? integral : typeof value === 'number' && (!integral || Number.isInteger(value))) {
    return type === ValType.I64 ? BigInt(value) : Number(value)
  }
  const expected = integral ? 'an integer' : 'a number'
  throw typeError(`outputs[${i}].v.${FIELDS[type]}`, expected, value)
}

module.exports = { HostFunction, ValType, after, memoryGet }
