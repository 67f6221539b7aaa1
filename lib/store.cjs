'use strict'

const { bytesOf, typeError, valueError } = require('./check.cjs')
const { NativeStore } = require('./native.cjs')

const BATCH = 64

/**
 * A map of strings to strings or bytes that plugins read without JavaScript. It has the face
 * of a `Map`, and its order; what was put in as a string comes out as one, bytes come out as a
 * Buffer of their own.
 */
class Store {
  #native
  /** Tells an iteration that entries it has fetched ahead may have changed. */
  #writes = 0

  constructor (iterable, options) {
    if (isOptions(iterable) && options === undefined) [iterable, options] = [undefined, iterable]
    if (iterable !== undefined && iterable !== null && typeof iterable[Symbol.iterator] !== 'function') {
      throw typeError('the entries of a Store', 'an iterable of [key, value]', iterable)
    }
    const { maxEntries, maxBytes, ttlMs } = options ?? {}
    this.#native = new NativeStore(
      limit('maxEntries', maxEntries), limit('maxBytes', maxBytes), limit('ttlMs', ttlMs)
    )
    for (const entry of iterable ?? []) {
      if (typeof entry !== 'object' || entry === null) throw typeError('each entry of a Store', '[key, value]', entry)
      this.set(entry[0], entry[1])
    }
  }

  get [Symbol.toStringTag] () {
    return 'Store'
  }

  /** @internal */
  static native (store) {
    return store.#native
  }

  static isStore (value) {
    return typeof value === 'object' && value !== null && #native in value
  }

  get size () {
    return this.#native.size
  }

  get (key) {
    return this.#native.get(checkKey(key)) ?? undefined
  }

  has (key) {
    return this.#native.has(checkKey(key))
  }

  set (key, value) {
    checkKey(key)
    const stored = typeof value === 'string' ? value : bytesOf(value)
    if (stored === undefined) {
      throw typeError(`the value of key "${key}"`, 'a string or bytes', value)
    }
    const refused = this.#native.set(key, stored)
    if (refused) {
      const [keyBytes, valueBytes, maxBytes] = refused
      throw valueError(`the entry of key "${key}"`, `at most ${maxBytes} bytes (maxBytes)`, keyBytes + valueBytes)
    }
    this.#writes++
    return this
  }

  delete (key) {
    this.#writes++
    return this.#native.delete(checkKey(key))
  }

  clear () {
    this.#writes++
    this.#native.clear()
  }

  /** Counters since the store was made; the limits' are `evictions` and `expirations`. */
  stats () {
    return this.#native.stats()
  }

  forEach (callback, thisArg) {
    if (typeof callback !== 'function') throw typeError('callback', 'a function', callback)
    for (const [key, value] of this) callback.call(thisArg, value, key, this)
  }

  * entries () {
    let after = 0
    for (;;) {
      const { cursors, keys, values } = this.#native.entriesAfter(after, BATCH)
      if (keys.length === 0) return
      const writes = this.#writes
      for (let i = 0; i < keys.length && writes === this.#writes; i++) {
        after = cursors[i]
        yield [keys[i], values[i]]
      }
    }
  }

  * keys () {
    for (const [key] of this.entries()) yield key
  }

  * values () {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator] () {
    return this.entries()
  }
}

function isOptions (value) {
  return typeof value === 'object' && value !== null && typeof value[Symbol.iterator] !== 'function'
}

function limit (name, value) {
  if (value === undefined || value === null || value === Infinity) return undefined
  if (typeof value !== 'number') throw typeError(name, 'a number', value)
  if (!(value >= 1 && value <= Number.MAX_SAFE_INTEGER)) throw valueError(name, 'from 1 to 2^53 - 1', value)
  return value
}

function checkKey (key) {
  if (typeof key !== 'string') throw typeError('the key', 'a string', key)
  return key
}

module.exports = { Store }
