'use strict'

const { cacheDirectory } = require('./cache.cjs')
const { typeError, valueError } = require('./check.cjs')
const { compileLimits } = require('./compile-limits.cjs')

const MAX_INSTANCES = 1024
const MAX_QUEUE = 2 ** 32 - 1
const MAX_CALL_DEPTH = 1024
/** How long a call may run unless somebody says otherwise. */
const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_MAX_QUEUE = 65_536
/** How deep host functions may call plugins whose host functions call plugins. */
const DEFAULT_MAX_CALL_DEPTH = 32
/** What one call may log and print. */
const DEFAULT_MAX_LOG_BYTES = 16 << 20

/**
 * How a plugin runs its calls: `instances` (1), `maxQueue` (65,536), `queueTimeoutMs` (none),
 * `maxCallDepth` (32), `maxLogBytes` (16 MiB), `cache` (true), `compileTimeoutMs` (none),
 * `maxCompileMemoryBytes` (none), `runInWorker` (false) and `freshInstance` (false).
 */
function runOptions (options = {}) {
  if (typeof options !== 'object' || options === null) throw typeError('options', 'an object', options)
  const { instances, maxQueue, queueTimeoutMs, maxCallDepth, maxLogBytes, cache, compileTimeoutMs, maxCompileMemoryBytes, runInWorker, freshInstance } = options
  return {
    instances: integer('instances', instances, 1, MAX_INSTANCES) ?? 1,
    maxQueue: integer('maxQueue', maxQueue, 0, MAX_QUEUE) ?? DEFAULT_MAX_QUEUE,
    queueTimeoutMs: milliseconds('queueTimeoutMs', queueTimeoutMs),
    maxCallDepth: integer('maxCallDepth', maxCallDepth, 0, MAX_CALL_DEPTH) ?? DEFAULT_MAX_CALL_DEPTH,
    maxLogBytes: bytes('maxLogBytes', maxLogBytes, 0) ?? DEFAULT_MAX_LOG_BYTES,
    cache: cacheDirectory(cache),
    compileLimits: compileLimits(milliseconds('compileTimeoutMs', compileTimeoutMs), bytes('maxCompileMemoryBytes', maxCompileMemoryBytes, 1)),
    offThread: Boolean(runInWorker),
    fresh: Boolean(freshInstance)
  }
}

/** What one call wants, if anything: `signal` and `timeoutMs` (the plugin's). */
function callOptions (options) {
  if (options === undefined || options === null) return undefined
  if (typeof options !== 'object') throw typeError('options', 'an object', options)
  const { timeoutMs } = options
  const signal = options.signal ?? undefined
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw typeError('signal', 'an AbortSignal', signal)
  return { signal, timeoutMs: milliseconds('timeoutMs', timeoutMs) }
}

function integer (name, value, min, max) {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number') throw typeError(name, 'a number', value)
  if (!Number.isInteger(value) || value < min || value > max) throw valueError(name, `an integer from ${min} to ${max}`, value)
  return value
}

/** A number of bytes; Infinity stands for any. */
function bytes (name, value, min) {
  return value === Infinity ? value : integer(name, value, min, Number.MAX_SAFE_INTEGER)
}

/** A time; 0 and Infinity stand for no end to it. */
function milliseconds (name, value) {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number') throw typeError(name, 'a number', value)
  if (!(value >= 0)) throw valueError(name, 'at least 0', value)
  return value === 0 ? Infinity : value
}

module.exports = { DEFAULT_TIMEOUT_MS, callOptions, integer, milliseconds, runOptions }
