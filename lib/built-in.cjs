'use strict'

// The host functions in Rust. Each has its body in host/src/built_in.rs, and its type in index.d.cts,
// whose names index.d.ts repeats.

const { typeError, valueError } = require('./check.cjs')
const { HostFunction, ValType: { I64 } } = require('./host-function.cjs')
const { Store } = require('./store.cjs')

const MISSING = ['absent', 'error', 'empty']

/**
 * A host function that reads a store: the plugin passes the offset of a key and gets the offset
 * of a new block with its value.
 *
 * `missing` says what a key that is not there gives: `'absent'` (the default) the offset 0,
 * `'error'` a failed call, `'empty'` an empty block.
 */
function memoryGet (name, store, options) {
  if (typeof (options ?? {}) !== 'object') throw typeError('options', 'an object', options)
  const missing = options?.missing ?? 'absent'
  checkStore(store)
  if (!MISSING.includes(missing)) throw valueError('missing', MISSING.map(word => `"${word}"`).join(' or '), missing)
  return HostFunction.builtIn(name, 'memoryGet', [I64], [I64], store, missing)
}

function checkStore (store) {
  if (!Store.isStore(store)) throw typeError('store', 'a Store', store)
}

// All of these are exported by the package.
module.exports = { memoryGet }
