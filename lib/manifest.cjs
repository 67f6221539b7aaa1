'use strict'

const { createHash } = require('node:crypto')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { bytesOf, describe, typeError, valueError } = require('./check.cjs')
const { downloadSync } = require('./download.cjs')
const { ExtismError } = require('./errors.cjs')

const DEFAULT_TIMEOUT_MS = 30_000

function invalid (message, cause) {
  return new ExtismError('ERR_EXTISM_MANIFEST', message, { cause })
}

/**
 * A manifest in any form, with its modules loaded: what the core needs of it. Blocks while
 * files are read and modules downloaded.
 */
function loadManifest (manifest) {
  const parsed = parse(manifest)
  const wasm = parsed.wasm
  if (!Array.isArray(wasm) || wasm.length === 0) throw invalid('the manifest\'s "wasm" must be an array of at least one module')
  const memory = parsed.memory ?? {}
  return {
    modules: wasm.map((item, i) => loadModule(item, i, wasm.length)),
    config: configEntries(parsed.config),
    allowedPaths: pathEntries(either(parsed, 'allowed_paths', 'allowedPaths')),
    allowedHosts: either(parsed, 'allowed_hosts', 'allowedHosts') ?? [],
    maxPages: limit('memory.max_pages', either(memory, 'max_pages', 'maxPages'), 65_536),
    timeoutMs: timeout(either(parsed, 'timeout_ms', 'timeoutMs'))
  }
}

/** Bytes and text are a module or a manifest in JSON, by what they start with. */
function parse (manifest) {
  const bytes = typeof manifest === 'string' ? Buffer.from(manifest) : bytesOf(manifest)
  if (bytes) {
    if (!/^\s*\{/.test(Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 64)).toString())) {
      return { wasm: [{ data: bytes }] }
    }
    try {
      manifest = JSON.parse(Buffer.from(bytes).toString())
    } catch (cause) {
      throw invalid(`the manifest is not JSON: ${cause.message}`, cause)
    }
  }
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) {
    throw typeError('the manifest', 'a module\'s bytes, a manifest in JSON or a manifest object', manifest)
  }
  return manifest
}

function either (object, snake, camel) {
  return object[snake] ?? object[camel]
}

function loadModule (item, i, count) {
  if (typeof item !== 'object' || item === null) throw invalid(`wasm[${i}] must be an object; got ${describe(item)}`)
  const data = moduleBytes(item, i)
  if (item.hash !== undefined && item.hash !== null) {
    const actual = createHash('sha256').update(data).digest('hex')
    if (String(item.hash).toLowerCase() !== actual) {
      throw invalid(`wasm[${i}]: hash mismatch, expected ${item.hash}, actual ${actual}`)
    }
  }
  const name = item.name ?? (count === 1 ? 'main' : i === count - 1 ? 'main' : String(i))
  if (typeof name !== 'string') throw invalid(`wasm[${i}].name must be a string; got ${describe(name)}`)
  return { name: count === 1 ? 'main' : name, data }
}

function moduleBytes ({ data, path: file, url }, i) {
  if (data !== undefined && data !== null) {
    if (typeof data === 'string') return Buffer.from(data, 'base64')
    const bytes = bytesOf(data)
    if (bytes) return bytes
    throw invalid(`wasm[${i}].data must be bytes, or base64 in JSON; got ${describe(data)}`)
  }
  if (typeof file === 'string') {
    try {
      return readFileSync(file)
    } catch (cause) {
      throw invalid(`wasm[${i}]: the file ${file} cannot be read: ${cause.message}`, cause)
    }
  }
  if (typeof url === 'string' || url instanceof URL) {
    try {
      return downloadSync(String(url))
    } catch (cause) {
      throw invalid(`wasm[${i}]: ${url} cannot be downloaded: ${cause.message}`, cause)
    }
  }
  throw invalid(`wasm[${i}] must have "data" (bytes), "path" or "url" (strings)`)
}

function configEntries (config) {
  if (config === undefined || config === null) return []
  if (typeof config !== 'object') throw typeError('config', 'an object or a Map of strings', config)
  const entries = config instanceof Map ? [...config] : Object.entries(config)
  for (const [key, value] of entries) {
    if (typeof key !== 'string') throw typeError('each key of config', 'a string', key)
    if (typeof value !== 'string') throw typeError(`config "${key}"`, 'a string', value)
  }
  return entries
}

/** Host directory to guest path; `ro:` before a host directory makes it read-only. */
function pathEntries (paths) {
  if (paths === undefined || paths === null) return []
  if (typeof paths !== 'object') throw typeError('allowed_paths', 'an object of strings', paths)
  return Object.entries(paths).map(([host, guest]) => {
    if (typeof guest !== 'string') throw typeError(`allowed_paths "${host}"`, 'a string', guest)
    const [, readOnly, directory] = /^(ro:)?(.*)$/s.exec(host)
    return [(readOnly ?? '') + path.resolve(directory), guest]
  })
}

function limit (name, value, max) {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number') throw typeError(name, 'a number', value)
  if (!Number.isInteger(value) || value < 1 || value > max) throw valueError(name, `an integer from 1 to ${max}`, value)
  return value
}

/** 0 and Infinity mean no timeout. */
function timeout (value) {
  if (value === undefined || value === null) return DEFAULT_TIMEOUT_MS
  if (typeof value !== 'number') throw typeError('timeout_ms', 'a number', value)
  if (!(value >= 0)) throw valueError('timeout_ms', 'at least 0', value)
  return value === 0 || value > Number.MAX_SAFE_INTEGER ? undefined : value
}

module.exports = { configEntries, loadManifest }
