'use strict'

const { fileURLToPath } = require('node:url')
const { bytesOf, describe } = require('../check.cjs')
const { body, timely } = require('../download.cjs')
const { ExtismError } = require('../errors.cjs')
const { read } = require('../file.cjs')
const { hasHash, isBlank, moduleOf } = require('../module.cjs')
const { headersOf } = require('../response.cjs')

const CODE = 'ERR_EXTISM_MANIFEST'
const BYTES = ['application/octet-stream', 'application/wasm']
const JSONS = ['application/json', 'text/json']
const SOURCES = ['data', 'path', 'url', 'response', 'module']

function typeError (message) {
  return Object.assign(new TypeError(message), { code: CODE })
}

function invalid (message, cause) {
  return new ExtismError(CODE, message, { cause })
}

/** A manifest in any form: as an object, and its modules with names and bytes. */
async function loadManifest (like, fetch) {
  const manifest = await resolve(await like, fetch)
  const items = manifest.wasm.map(item => ({ ...item }))
  const given = items.map(({ data }, i) => data && moduleOf(dataOf(data, i)))
  const modules = await Promise.all(items.map(async (item, i) => {
    const module = given[i] || moduleOf(await contents(item, i, fetch))
    if (!hasHash(module, item.hash)) throw invalid(`Plugin error: hash mismatch. Expected: ${String(item.hash)}. Actual: ${module.sha256}`)
    return { name: nameOf(item, i, items), module }
  }))
  if (!modules.some(({ name }) => name === 'main')) throw invalid('manifest with multiple modules must designate one "main" module')
  return { manifest: { ...manifest }, modules }
}

async function resolve (like, fetch) {
  if (like instanceof WebAssembly.Module) throw noModule()
  const bytes = bytesOf(like)
  if (bytes) return { wasm: [{ data: bytes }] }
  if (typeof like === 'string') {
    if (/^\s*\{/.test(like)) return check(parse(like))
    return /^(https?|file):\/\//.test(like) ? resolve(new URL(like), fetch) : { wasm: [{ path: like }] }
  }
  if (like instanceof URL) return like.protocol === 'file:' ? { wasm: [{ path: fileURLToPath(like) }] } : request(like, fetch, fromResponse)
  if (isResponse(like)) return fromResponse(like)
  return check(like)
}

async function fromResponse (response) {
  const type = (headersOf(response).get('content-type') || 'application/octet-stream').split(';')[0].trim()
  if (BYTES.includes(type)) return { wasm: [{ data: await body(response) }] }
  if (JSONS.includes(type)) return check(parse(String(await body(response))))
  throw typeError(`While processing manifest URL "${response.url}"; expected content-type of "text/json", "application/json", "application/octet-stream", or "application/wasm"; got "${type}" after stripping off charset.`)
}

function isResponse (value) {
  return value instanceof Response || value?.constructor?.name === 'Response'
}

function parse (text) {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalid(`the manifest is not JSON: ${cause.message}`, cause)
  }
}

function check (manifest) {
  if (typeof manifest !== 'object' || manifest === null || !('wasm' in manifest)) throw typeError('Expected "wasm" key in manifest')
  if (!Array.isArray(manifest.wasm)) throw typeError('Expected "manifest.wasm" to be array')
  // A hole is an item as well, though not for `forEach`.
  for (const [i, item] of manifest.wasm.entries()) {
    if (typeof item === 'object' && item !== null && SOURCES.some(source => source in item)) continue
    throw typeError(`Expected every item in "manifest.wasm" to include either a "data", "url", or "path" key; got bad item at index ${i}`)
  }
  if (manifest.wasm.length === 0) throw invalid('the manifest has no modules')
  return manifest
}

async function contents (item, i, fetch) {
  if (item.path) return read(item.path)
  if (item.url) return fromUrl(new URL(item.url), fetch)
  if (item.response) return body(await item.response)
  if (item.module) throw item.hash ? invalid('Item specified a hash but WebAssembly.Module source data is unavailable for hashing') : noModule()
  throw invalid(`Unrecognized wasm item at index ${i}. Keys include: "${Object.keys(item).sort().join(',')}"`)
}

/** A string is base64, as JSON has it. */
function dataOf (data, i) {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'base64') : bytesOf(data)
  if (bytes) return bytes
  throw typeError(`wasm[${i}].data must be bytes, or base64 in JSON; got ${describe(data)}`)
}

async function fromUrl (url, fetch) {
  return url.protocol === 'file:' ? read(url) : request(url, fetch, body)
}

/** What `take` makes of the response. */
function request (url, fetch, take) {
  const headers = { accept: 'application/wasm;q=0.9,application/octet-stream;q=0.8' }
  return timely(async signal => take(await fetch(url, { redirect: 'follow', headers, signal })))
}

function noModule () {
  return typeError('a WebAssembly.Module has been compiled for V8, and its bytes cannot be had from it; pass the bytes, a path or a URL')
}

/** The only module is the main one, whatever its name. */
function nameOf ({ name, hash }, i, items) {
  const isMain = items.length === 1 || (isBlank(name) && i === items.length - 1)
  const known = isMain ? 'main' : [name, hash, String(i)].find(text => !isBlank(text))
  if (typeof known === 'string') return known
  throw typeError(`wasm[${i}].name must be a string; got ${describe(known)}`)
}

module.exports = { loadManifest }
