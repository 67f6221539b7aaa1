'use strict'

const { typeError } = require('../check.cjs')
const { HostFunction } = require('../host-function.cjs')
const { configEntries, hostList, pathEntries } = require('../manifest.cjs')
const { integer, milliseconds, runOptions } = require('../options.cjs')

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent']
const DEFAULT_TIMEOUT_MS = 30_000

function checkLevel (level) {
  if (LEVELS.includes(level)) return level
  throw new TypeError(`unrecognized log level "${level}"; expected one of ${LEVELS.map(known => `"${known}"`).join(', ')}`)
}

/** The options of createPlugin, those of the manifest where there are none, checked and complete. */
function pluginOptions (options, manifest) {
  const pick = (camel, snake) => options[camel] || manifest[camel] || manifest[snake] || undefined
  const memory = pick('memory') ?? {}
  const { logger = console, logLevel = 'silent', useWasi = false, fetch = globalThis.fetch } = options
  if (typeof logger !== 'object' || logger === null) throw typeError('logger', 'an object with a method for each level', logger)
  if (typeof fetch !== 'function') throw typeError('fetch', 'a function', fetch)
  const timeoutMs = options.timeoutMs ?? manifest.timeoutMs ?? manifest.timeout_ms
  return {
    logger,
    logLevel: checkLevel(logLevel),
    wasi: Boolean(useWasi),
    wasiOutput: Boolean(options.enableWasiOutput),
    config: configEntries(pick('config')),
    allowedPaths: pathEntries(hostToGuest(pick('allowedPaths', 'allowed_paths'))),
    timeoutMs: milliseconds('timeoutMs', timeoutMs) ?? DEFAULT_TIMEOUT_MS,
    blockPages: limit('memory.maxPages', memory.maxPages ?? memory.max_pages, 65_536) || undefined,
    maxVarBytes: limit('memory.maxVarBytes', memory.maxVarBytes ?? memory.max_var_bytes) ?? Infinity,
    variables: options.sharedVars ? 'plugin' : 'instance',
    fuel: limit('fuel', options.fuel) || undefined,
    // A plugin in a worker of theirs does one thing at a time, and refuses anything else.
    running: runOptions({ ...options, maxQueue: options.maxQueue ?? (options.runInWorker ? 0 : undefined) }),
    http: {
      allowedHosts: hostList(pick('allowedHosts', 'allowed_hosts')),
      fetch,
      maxBytes: limit('memory.maxHttpResponseBytes', memory.maxHttpResponseBytes ?? memory.max_http_response_bytes),
      headers: Boolean(options.allowHttpResponseHeaders)
    }
  }
}

function limit (name, value, max = Number.MAX_SAFE_INTEGER) {
  return value === Infinity ? undefined : integer(name, value, 0, max)
}

/** Their paths are those of the guest, and where in the host these are. */
function hostToGuest (paths) {
  if (paths === undefined || typeof paths !== 'object') return paths
  for (const host of Object.values(paths)) if (typeof host !== 'string') throw typeError('each of allowedPaths', 'a string', host)
  return Object.fromEntries(Object.entries(paths).map(([guest, host]) => [host, guest]))
}

/** Host functions as `{ namespace, name, f }`, or with a HostFunction in place of `f`. */
function hostFunctions (namespaces) {
  if (typeof namespaces !== 'object') throw typeError('functions', 'an object of namespaces', namespaces)
  return Object.entries(namespaces).flatMap(([namespace, functions]) => {
    if (typeof functions !== 'object' || functions === null) throw typeError(`functions "${namespace}"`, 'an object of functions', functions)
    return Object.entries(functions).map(([name, f]) => {
      if (typeof f !== 'function' && !(f instanceof HostFunction)) throw typeError(`host function "${namespace}" "${name}"`, 'a function', f)
      return { namespace, name, f }
    })
  })
}

module.exports = { LEVELS, checkLevel, hostFunctions, pluginOptions }
