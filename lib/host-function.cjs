'use strict'

const { typeError, valueError } = require('./check.cjs')
const { CurrentPlugin } = require('./current-plugin.cjs')
const { Store } = require('./store.cjs')

/** The types of a host function's parameters and results. */
const ValType = Object.freeze({ I32: 0, I64: 1, F32: 2, F64: 3, V128: 4, FuncRef: 5, ExternRef: 6 })

/** The property of a value's `v` that has a value of this type. */
const FIELDS = ['i32', 'i64', 'f32', 'f64']

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
    const { params, results, builtIn, store, missing } = hostFunction.#body
    return {
      namespace: hostFunction.#namespace,
      name: hostFunction.#name,
      params,
      results,
      builtIn,
      missing,
      store: store && stores.push(Store.native(store)) - 1
    }
  }

  /** @internal What the core calls, or undefined where no JavaScript is on the way. */
  static handler (hostFunction) {
    const { f, params, results, userData } = hostFunction.#body
    return f && (call => {
      const inputs = wrapAll(params, call.inputs)
      const outputs = wrapAll(results)
      const returned = f(new CurrentPlugin(call), inputs, outputs, ...userData)
      return typeof returned?.then === 'function' ? after(returned, () => unwrapAll(outputs, results)) : unwrapAll(outputs, results)
    })
  }

  /** @internal One of those in Rust, by the name that the core knows it by. `store`: what it works on. */
  static builtIn (name, builtIn, params, results, store, missing) {
    const hostFunction = new HostFunction(name, params, results, () => {})
    hostFunction.#body = { params, results, builtIn, store, missing }
    return hostFunction
  }
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

/** Values as the legacy API has them: an i64 is a number while that is exact. */
function wrapAll (types, values) {
  const wrapped = new Array(types.length)
  for (let i = 0; i < types.length; i++) wrapped[i] = wrap(types[i], values === undefined ? 0 : values[i])
  return wrapped
}

/** Literal properties are made many times faster than computed ones. */
function wrap (t, value) {
  switch (t) {
    case ValType.I32: return { t, v: { i32: value } }
    case ValType.I64: return { t, v: { i64: value } }
    case ValType.F32: return { t, v: { f32: value } }
    default: return { t, v: { f64: value } }
  }
}

function unwrapAll (outputs, types) {
  const values = new Array(types.length)
  for (let i = 0; i < types.length; i++) values[i] = unwrap(outputs[i], types[i], i)
  return values
}

function unwrap (output, type, i) {
  const value = output?.v?.[FIELDS[type]]
  const integral = type <= ValType.I64
  if (typeof value === 'bigint' ? integral : typeof value === 'number' && (!integral || Number.isInteger(value))) return value
  const expected = integral ? 'an integer' : 'a number'
  throw typeError(`outputs[${i}].v.${FIELDS[type]}`, expected, value)
}

module.exports = { HostFunction, ValType, after }
