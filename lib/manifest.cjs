'use strict'

const path = require('node:path')
const { types } = require('node:util')
const { bytesOf, describe, entriesOf, typeError } = require('./check.cjs')
const { download, downloadSync } = require('./download.cjs')
const { ExtismError, cut } = require('./errors.cjs')
const { read: readFile, readSync: readFileSync } = require('./file.cjs')
const { DEFAULT_PAGES, MAX_PAGES, limitsOf, responseBytesOf } = require('./limits.cjs')
const { hasHash, isBlank, moduleOf } = require('./module.cjs')
const { DEFAULT_TIMEOUT_MS, integer, milliseconds } = require('./options.cjs')

/** What the variables of a plugin may have together: as much as in the runtime of SDK 0.5. */
const DEFAULT_VAR_BYTES = 100 << 20

function invalid (message, cause) {
  return new ExtismError('ERR_EXTISM_MANIFEST', message, { cause })
}

/**
 * A manifest in any form, with its modules loaded: what the core needs of it. Blocks while
 * files are read and modules downloaded.
 */
function loadManifestSync (manifest) {
  const { items, settings } = read(manifest)
  const modules = items.map((item, i) => {
    try {
      return item.module ?? moduleOf(typeof item.path === 'string' ? readFileSync(item.path) : downloadSync(String(item.url)))
    } catch (error) {
      throw unreadable(item, i, error)
    }
  })
  return { ...settings, modules: modules.map((module, i) => checkedModule(items, i, module)) }
}

/** The same without blocking. What the manifest says now is what holds. */
async function loadManifest (manifest) {
  const { items, settings } = read(manifest)
  const modules = await Promise.all(items.map(async (item, i) => {
    try {
      return item.module ?? moduleOf(await (typeof item.path === 'string' ? readFile(item.path) : download(String(item.url))))
    } catch (error) {
      throw unreadable(item, i, error)
    }
  }))
  return { ...settings, modules: modules.map((module, i) => checkedModule(items, i, module)) }
}

/** What a manifest says, as a copy: items with their modules, where they have the bytes, and the rest. */
function read (manifest) {
  const parsed = parse(manifest)
  const memory = parsed.memory ?? {}
  if (typeof memory !== 'object') throw typeError('memory', 'an object', memory)
  return {
    // Also where there are holes, which are no modules.
    items: Array.from(parsed.wasm, (item, i) => {
      const bytes = bytesAt(item, i)
      return { ...item, module: bytes && moduleOf(bytes) }
    }),
    settings: {
      config: configEntries(parsed.config),
      allowedPaths: pathEntries(either(parsed, 'allowed_paths', 'allowedPaths')),
      allowedHosts: hostList(either(parsed, 'allowed_hosts', 'allowedHosts')),
      limits: {
        ...limitsOf(memory),
        pages: integer('memory.max_pages', either(memory, 'max_pages', 'maxPages'), 1, MAX_PAGES) ?? DEFAULT_PAGES,
        varBytes: integer('memory.max_var_bytes', either(memory, 'max_var_bytes', 'maxVarBytes'), 0, Number.MAX_SAFE_INTEGER) ?? DEFAULT_VAR_BYTES
      },
      maxBytes: responseBytesOf(memory),
      timeoutMs: timeout(either(parsed, 'timeout_ms', 'timeoutMs'))
    }
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
  if (!Array.isArray(manifest.wasm) || manifest.wasm.length === 0) {
    throw invalid('the manifest\'s "wasm" must be an array of at least one module')
  }
  return manifest
}

function either (object, snake, camel) {
  return object[snake] ?? object[camel]
}

/** The bytes that an item has with it; undefined for one with a `path` or a `url`. */
function bytesAt (item, i) {
  if (typeof item !== 'object' || item === null) throw invalid(`wasm[${i}] must be an object; got ${describe(item)}`)
  const { data, path: file, url } = item
  // No base64 has what a module in the text format starts with.
  if (typeof data === 'string') return /^\s*[(;]/.test(data) ? Buffer.from(data) : Buffer.from(data, 'base64')
  if (data !== undefined && data !== null) {
    const bytes = bytesOf(data)
    if (bytes) return bytes
    throw invalid(`wasm[${i}].data must be bytes, or base64 in JSON; got ${describe(data)}`)
  }
  if (typeof file !== 'string' && typeof url !== 'string' && !(url instanceof URL)) {
    throw invalid(`wasm[${i}] must have "data" (bytes), "path" or "url" (strings)`)
  }
}

function unreadable (item, i, cause) {
  const what = typeof item.path === 'string' ? `the file ${cut(item.path)} cannot be read` : `${item.url} cannot be downloaded`
  return invalid(`wasm[${i}]: ${what}: ${cause.message}`, cause)
}

function checkedModule (wasm, i, module) {
  const { name, hash } = wasm[i]
  if (!hasHash(module, hash)) throw invalid(`wasm[${i}]: hash mismatch, expected ${String(hash)}, actual ${module.sha256}`)
  const isMain = wasm.length === 1 || (i === wasm.length - 1 && !wasm.some(other => other.name === 'main'))
  const known = isMain ? 'main' : isBlank(name) ? String(i) : name
  if (typeof known !== 'string') throw invalid(`wasm[${i}].name must be a string; got ${describe(known)}`)
  return { name: known, module }
}

/** Keys and values, see `mergeConfig`. As in JSON, a key with an undefined value is absent. */
function configEntries (config) {
  if (config === undefined || config === null) return []
  if (typeof config !== 'object') throw typeError('config', 'an object or a Map of strings', config)
  const entries = types.isMap(config) ? [...config] : Object.entries(config)
  for (const [key, value] of entries) {
    if (typeof key !== 'string') throw typeError('each key of config', 'a string', key)
    if (typeof (value ?? '') !== 'string') throw typeError(`config "${key}"`, 'a string', value)
  }
  return entries.filter(([, value]) => value !== undefined)
}

/** Configs in one, where a later value replaces an earlier one, and null removes it. */
function mergeConfig (...configs) {
  return [...new Map(configs.flat())].filter(([, value]) => value !== null)
}

/** Host directory to guest path; `ro:` before a host directory makes it read-only. */
function pathEntries (paths) {
  if (paths === undefined || paths === null) return []
  if (typeof paths !== 'object') throw typeError('allowed_paths', 'an object of strings', paths)
  return entriesOf(paths).map(([host, guest]) => {
    if (typeof guest !== 'string') throw typeError(`allowed_paths "${host}"`, 'a string', guest)
    const [, readOnly, directory] = /^(ro:)?(.*)$/s.exec(host)
    return [(readOnly ?? '') + path.resolve(directory), guest]
  })
}

function hostList (hosts) {
  if (hosts === undefined || hosts === null) return []
  if (!Array.isArray(hosts)) throw typeError('allowed_hosts', 'an array of strings', hosts)
  for (const host of hosts) if (typeof host !== 'string') throw typeError('each of allowed_hosts', 'a string', host)
  return hosts
}

/** 30 seconds unless the manifest says otherwise; 0 and Infinity stand for none. */
function timeout (value) {
  return value === undefined || value === null ? DEFAULT_TIMEOUT_MS : milliseconds('timeout_ms', value)
}

module.exports = { configEntries, hostList, loadManifest, loadManifestSync, mergeConfig }
