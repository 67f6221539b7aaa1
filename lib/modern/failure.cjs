'use strict'

const { types } = require('node:util')
const { ExtismError, cut } = require('../errors.cjs')

/** The messages that `@extism/extism` has for these codes. */
const MESSAGES = {
  ERR_EXTISM_GUEST: message => `Plugin-originated error: ${message}`,
  ERR_EXTISM_TIMEOUT: () => 'EXTISM: call canceled due to timeout',
  ERR_EXTISM_REENTRANT: () => 'plugin is not reentrant'
}

/**
 * A failed call, as `@extism/extism` puts it: what a host function threw is passed on as it is,
 * and a trap is a RuntimeError of WebAssembly.
 */
function failure ({ code, message, function: name, isExport, exitCode, backtrace, cause }) {
  if (code === 'ERR_EXTISM_HOST_FUNCTION' && isError(cause)) return cause
  const details = { cause, function: name, exitCode, backtrace }
  if (code === 'ERR_EXTISM_TRAP') return trap(message, details)
  if (code === 'ERR_EXTISM_FUNCTION_NOT_FOUND') return notFound(name, isExport, details)
  return new ExtismError(code, MESSAGES[code]?.(message) ?? message, details)
}

/** Anything can be thrown, also a proxy that cannot be asked what it is. */
function isError (value) {
  try {
    return value instanceof Error || types.isNativeError(value)
  } catch {
    return false
  }
}

function notFound (name, isExport, details) {
  name = cut(String(name))
  const what = isExport ? `export "${name}" is not a function` : `function "${name}" does not exist`
  return new ExtismError('ERR_EXTISM_FUNCTION_NOT_FOUND', `Plugin error: ${what}`, details)
}

function trap (message, { function: name, backtrace }) {
  const error = new WebAssembly.RuntimeError(inWordsOfV8(message.replace(/^wasm trap: /, '')))
  return Object.assign(error, { code: 'ERR_EXTISM_TRAP', function: name, backtrace })
}

/** What V8 says where the runtime says this. */
const WORDS = {
  'wasm `unreachable` instruction executed': 'unreachable',
  'integer divide by zero': 'divide by zero',
  'integer overflow': 'divide result unrepresentable',
  'invalid conversion to integer': 'float unrepresentable in integer range',
  'out of bounds memory access': 'memory access out of bounds',
  'undefined element: out of bounds table access': 'table index is out of bounds',
  'uninitialized element': 'null function or function signature mismatch',
  'indirect call type mismatch': 'null function or function signature mismatch',
  'call stack exhausted': 'Maximum call stack size exceeded'
}

function inWordsOfV8 (message) {
  return WORDS[message] ?? message
}

module.exports = { failure }
