'use strict'

const { types } = require('node:util')

/** What a value is, for messages. */
function describe (value) {
  try {
    return text(value)
  } catch {
    // A proxy, or an object whose properties throw.
    return `a strange ${typeof value}`
  }
}

function text (value) {
  if (value === null) return 'null'
  if (typeof value === 'string') return `"${value.length > 40 ? value.slice(0, 40) + '…' : value}"`
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'bigint') return `${value}n`
  return String(value)
}

function typeError (what, expected, value) {
  const error = new TypeError(`${what} must be ${expected}; got ${describe(value)}`)
  error.code = 'ERR_INVALID_ARG_TYPE'
  return error
}

function valueError (what, expected, value) {
  const error = new RangeError(`${what} must be ${expected}; got ${describe(value)}`)
  error.code = 'ERR_INVALID_ARG_VALUE'
  return error
}

/** The number, which is one that counts or measures: also of a bigint. */
function checkSize (name, value) {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw typeError(name, 'a number or a bigint', value)
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 0) throw valueError(name, 'an integer from 0 to 2^53 - 1', value)
  return number
}

/** The entries of an object, except those whose value is null or undefined. */
function entriesOf (object) {
  return Object.entries(object).filter(([, value]) => value !== undefined && value !== null)
}

/** The bytes of anything that has some, without a copy; undefined for anything else. */
function bytesOf (value) {
  try {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    if (types.isAnyArrayBuffer(value)) return new Uint8Array(value)
  } catch {
    // It was detached, and has none any longer.
  }
}

module.exports = { bytesOf, checkSize, describe, entriesOf, typeError, valueError }
