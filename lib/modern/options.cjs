'use strict'

const path = require('node:path')
const { describe, entriesOf, typeError } = require('../check.cjs')
const { HostFunction } = require('../host-function.cjs')
const { DEFAULT_PAGES, MAX_PAGES, limitsOf, responseBytesOf } = require('../limits.cjs')
const { configEntries, hostList, mergeConfig } = require('../manifest.cjs')
const { DEFAULT_TIMEOUT_MS, integer, milliseconds, runOptions } = require('../options.cjs')

/** What the variables of a plugin may have together. */
const DEFAULT_VAR_BYTES = 64 << 20

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

function checkLevel (level) {
  if (LEVELS.includes(level)) return level
  const error = new TypeError(`unrecognized log level "${typeof level === 'string' ? level : describe(level)}"; expected one of ${LEVELS.map(known => `"${known}"`).join(', ')}`)
  error.code = 'ERR_INVALID_ARG_VALUE'
  throw error
}

/** The options of createPlugin, those of the manifest where there are none, checked and complete. */
function pluginOptions (options, manifest) {
  const pick = (camel, snake) => options[camel] || manifest[camel] || manifest[snake] || undefined
  const memory = pick('memory') ?? {}
  const logger = options.logger ?? console
  if (typeof logger !== 'object') throw typeError('logger', 'an object with a method for each level', logger)
  const timeoutMs = options.timeoutMs ?? manifest.timeoutMs ?? manifest.timeout_ms
  return {
    logger,
    logLevel: checkLevel(options.logLevel ?? 'silent'),
    wasi: Boolean(options.useWasi),
    wasiOutput: Boolean(options.enableWasiOutput ?? process.env.EXTISM_ENABLE_WASI_OUTPUT),
    config: mergeConfig(configEntries(pick('config'))),
    allowedPaths: hostToGuest(pick('allowedPaths', 'allowed_paths')),
    timeoutMs: milliseconds('timeoutMs', timeoutMs) ?? DEFAULT_TIMEOUT_MS,
    limits: {
      ...limitsOf(memory),
      pages: totalPages(memory.maxTotalPages ?? memory.max_total_pages),
      blockPages: limit('memory.maxPages', memory.maxPages ?? memory.max_pages, MAX_PAGES) || undefined,
      varBytes: variableLimit(memory.maxVarBytes ?? memory.max_var_bytes)
    },
    variables: options.sharedVars ? 'plugin' : 'instance',
    fuel: limit('fuel', options.fuel) || undefined,
    running: runOptions(options),
    http: {
      allowedHosts: hostList(pick('allowedHosts', 'allowed_hosts')),
      fetch: fetchOf(options),
      maxBytes: responseBytesOf(memory),
      headers: Boolean(options.allowHttpResponseHeaders)
    }
  }
}

function fetchOf (options) {
  const fetch = options.fetch ?? globalThis.fetch
  if (typeof fetch !== 'function') throw typeError('fetch', 'a function', fetch)
  return fetch
}

/** Infinity and 0 are as many as there can be. */
function totalPages (value) {
  return value === Infinity ? MAX_PAGES : (limit('memory.maxTotalPages', value, MAX_PAGES) ?? DEFAULT_PAGES) || MAX_PAGES
}

/** Infinity and 0 are no limit: without one there is a default. */
function variableLimit (value) {
  if (value === Infinity) return value
  const bytes = limit('memory.maxVarBytes', value)
  return bytes === undefined ? DEFAULT_VAR_BYTES : bytes || Infinity
}

function limit (name, value, max = Number.MAX_SAFE_INTEGER) {
  return value === Infinity ? undefined : integer(name, value, 0, max)
}

/**
 * Their paths are those of the guest, and where in the host these are. Where two are in one place,
 * that gets another spelling: a place is known by one.
 */
function hostToGuest (paths) {
  if (paths === undefined) return []
  if (typeof paths !== 'object') throw typeError('allowedPaths', 'an object of strings', paths)
  const places = new Map()
  for (const [guest, host] of entriesOf(paths)) {
    if (typeof host !== 'string') throw typeError('each of allowedPaths', 'a string', host)
    const [, readOnly = '', directory] = /^(ro:)?(.*)$/s.exec(host)
    let place = readOnly + path.resolve(directory)
    while (places.has(place)) place += '/.'
    places.set(place, guest)
  }
  return [...places]
}

/** Host functions as `{ namespace, name, f }`, or with a HostFunction in place of `f`. */
function hostFunctions (namespaces) {
  if (typeof namespaces !== 'object') throw typeError('functions', 'an object of namespaces', namespaces)
  return entriesOf(namespaces).flatMap(([namespace, functions]) => {
    if (typeof functions !== 'object') throw typeError(`functions "${namespace}"`, 'an object of functions', functions)
    return entriesOf(functions).map(([name, f]) => {
      if (typeof f !== 'function' && !(f instanceof HostFunction)) throw typeError(`host function "${namespace}" "${name}"`, 'a function', f)
      return { namespace, name, f }
    })
  })
}

module.exports = { LEVELS, checkLevel, fetchOf, hostFunctions, pluginOptions }
