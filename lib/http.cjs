'use strict'

const { domainToASCII } = require('node:url')
const { describe, entriesOf, valueError } = require('./check.cjs')
const { ExtismError } = require('./errors.cjs')
const { chunksOf, discard, headersOf } = require('./response.cjs')

const MAX_REDIRECTS = 20
/** Other statuses, such as 304, can have a `location` as well, and must not be followed. */
const REDIRECTS = [301, 302, 303, 307, 308]
const DEFAULT_MAX_BYTES = 50 << 20
/** Instances whose last response is kept: as many as a plugin can have at a time. */
const MAX_RESPONSES = 1024
/** What a plugin may say of a request, beside the body, in bytes. */
const MAX_REQUEST = 64 << 10
/** To read a longer one takes the event loop's time before any host is compared. */
const MAX_URL = 8192
/** The same for what is before the path: names in other scripts take the longest. */
const MAX_AUTHORITY = 1024
/** No host has a longer name. */
const MAX_HOST = 253
const MAX_PATTERN = 512

/**
 * What plugins call for HTTP: handlers for `http_request`, `http_status_code` and
 * `http_headers`, in this order. Requests go through `fetch`, to allowed hosts only, and every
 * redirect is held to the same list. A request ends with the call it belongs to.
 */
function httpHandlers ({ allowedHosts, fetch = globalThis.fetch, maxBytes = DEFAULT_MAX_BYTES, headers: allowHeaders = false, notAllowed = refusal, tooLarge = fail, noRoom = fatal }) {
  const check = hostCheck(allowedHosts, notAllowed)
  /** The last response, by instance. */
  const responses = new Map()

  async function request (call) {
    const [requestOffset, bodyOffset] = call.inputs
    responses.delete(call.instance)
    if (call.length(Number(requestOffset)) > MAX_REQUEST) throw refuse(`the request has more than ${MAX_REQUEST} bytes beside its body`)
    const { url, method, headers } = parseRequest(call.copy(Number(requestOffset)))
    const allowed = check(url)
    const head = headOf(method, headers)
    const body = Number(bodyOffset) === 0 ? undefined : bodyOf(call, Number(bodyOffset), maxBytes)
    const ended = new AbortController()
    call.onEnd(() => ended.abort())
    const response = await followRedirects(fetch, check, allowed, { ...head, body, signal: ended.signal })
    // Instances come and go.
    if (responses.size >= MAX_RESPONSES) responses.delete(responses.keys().next().value)
    responses.set(call.instance, {
      status: response.status,
      headers: allowHeaders ? JSON.stringify(Object.fromEntries(headersOf(response))) : undefined
    })
    const bytes = await readBody(response, maxBytes)
    if (bytes === undefined) {
      tooLarge(maxBytes)
      return [0n]
    }
    return [give(call, bytes)]
  }

  /** The address of a block with these bytes, or 0n. */
  function give (call, bytes) {
    try {
      return BigInt(call.store(bytes))
    } catch (error) {
      if (error.code !== 'ERR_EXTISM_OUT_OF_MEMORY') throw error
      noRoom(error.message, error)
      return 0n
    }
  }

  const statusCode = call => [responses.get(call.instance)?.status ?? 0]

  function responseHeaders (call) {
    const headers = responses.get(call.instance)?.headers
    return [headers === undefined ? 0n : give(call, Buffer.from(headers))]
  }

  return [request, statusCode, responseHeaders]
}

function refuse (message, cause) {
  return new ExtismError('ERR_EXTISM_HTTP', message, { cause })
}

function bodyOf (call, offset, maxBytes) {
  const length = call.length(offset)
  if (length > maxBytes) throw refuse(`the request's body of ${length} bytes is larger than ${maxBytes} bytes`)
  return call.copy(offset)
}

function tooLong (url) {
  return refuse(`a URL of ${url.length} characters is longer than ${MAX_URL}, or what is before its path than ${MAX_AUTHORITY}`)
}

function parseRequest (bytes) {
  let request
  try {
    request = JSON.parse(bytes.toString())
  } catch (cause) {
    throw refuse(`the request is not JSON: ${cause.message}`)
  }
  if (typeof request?.url !== 'string') throw refuse('the request has no "url"')
  const { url, method, headers, header } = request
  if (typeof (method ?? '') !== 'string') throw refuse('the "method" of the request is not a string')
  // The Rust PDK writes null for a method that is not set, the Go PDK null for headers or an empty method.
  return { url, method: method || 'GET', headers: withoutNull(headers || header || {}) }
}

/** Headers as the plugin wrote them, in an object or in pairs; one that is null is not sent. */
function withoutNull (headers) {
  return Array.isArray(headers) || typeof headers !== 'object' ? headers : Object.fromEntries(entriesOf(headers))
}

function headOf (method, headers) {
  try {
    const request = new Request('http://localhost', { method: method.toUpperCase(), headers })
    return { method: request.method, headers: request.headers }
  } catch (cause) {
    throw refuse(`the method or the headers of the request are not valid: ${cause.message}`, cause)
  }
}

/** A host name without what makes two spellings of one differ. */
function hostName (name) {
  const bare = name.startsWith('[') && name.endsWith(']') && name.includes(':') ? name.slice(1, -1) : name
  return bare.toLowerCase().replace(/\.$/, '')
}

/**
 * `*` stands for any characters of a host name, `?` for one, `[a-c]` for one of these, `{a,b}` for
 * one of these texts. An address of IPv6 has its brackets off.
 */
function hostPattern (pattern) {
  if (pattern.length > MAX_PATTERN) throw notPattern(pattern)
  const name = /^[^*?[\]{}]+$/.test(pattern) ? domainToASCII(pattern) || pattern : pattern
  const parts = hostName(name).replace(/\*+/g, '*').match(/\[[a-z0-9-]+\]|\{[^{}]*\}|[^]/g) ?? []
  const steps = parts.map(part => {
    try {
      return stepOf(part)
    } catch {
      throw notPattern(pattern)
    }
  })
  return host => {
    let places = new Set([0])
    for (const step of steps) places = step(host, places)
    return places.has(host.length)
  }
}

/**
 * What gives the places in a host name that a part of a pattern can end at, of those that it can
 * start at. A regular expression could take for ever to find that there is no way.
 */
function stepOf (part) {
  if (part === '*') {
    return (host, places) => {
      const first = Math.min(...places)
      return new Set(Array.from({ length: Math.max(0, host.length - first + 1) }, (_, i) => first + i))
    }
  }
  if (part === '?') return matching(/[^]/)
  if (part.length > 1 && part[0] === '[') return matching(new RegExp(part))
  const texts = part.length > 1 ? part.slice(1, -1).split(',') : [part]
  return (host, places) => new Set([...places].flatMap(place => {
    return texts.filter(text => host.startsWith(text, place)).map(text => place + text.length)
  }))
}

/** The same for one character. */
function matching (expression) {
  return (host, places) => new Set([...places].filter(place => expression.test(host.charAt(place))).map(place => place + 1))
}

function notPattern (pattern) {
  return valueError('each of allowed_hosts', 'a host name or a pattern for some', pattern)
}

const refusal = url => `HTTP request to ${url} is not allowed`

function fatal (message, error) {
  throw error
}

function fail (maxBytes) {
  throw refuse(`the response is larger than ${maxBytes} bytes`)
}

/** What gives a URL as it was understood, or throws where the plugin may not reach it. */
function hostCheck (allowedHosts, notAllowed) {
  const allowed = allowedHosts.map(hostPattern)
  return url => {
    if (url.length > MAX_URL) throw tooLong(url)
    const [, authority] = /^[^:]*:[/\\]*([^/?#\\]*)/.exec(url) ?? [url, '']
    if (authority.length > MAX_AUTHORITY) throw tooLong(url)
    if (!URL.canParse(url)) throw refuse(`${describe(url)} is not a URL`)
    const { hostname, href, protocol } = new URL(url)
    if (protocol !== 'http:' && protocol !== 'https:') throw refuse(`HTTP request to ${url} is not allowed: only http and https are`)
    const host = hostName(hostname)
    if (host.length > MAX_HOST || !allowed.some(allows => allows(host))) throw refuse(notAllowed(url, hostname))
    return href
  }
}

async function followRedirects (fetch, check, url, { method, headers, body, signal }) {
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const hasBody = method !== 'GET' && method !== 'HEAD'
    const response = await fetch(url, { method, headers, body: hasBody ? body : undefined, redirect: 'manual', signal })
    if (typeof response !== 'object' || response === null) throw refuse(`fetch gave ${describe(response)}, which is not a response`)
    const location = REDIRECTS.includes(response.status) && headersOf(response).get('location')
    if (!location) return response
    await discard(response)
    if (location.length > MAX_URL) throw tooLong(location)
    if (!URL.canParse(location, url)) throw refuse(`${url} redirects to ${describe(location)}, which is not a URL`)
    const next = new URL(location, url)
    if (next.origin !== new URL(url).origin) for (const name of ['authorization', 'cookie', 'host', 'proxy-authorization']) headers.delete(name)
    if (response.status === 303 ? method !== 'HEAD' : response.status <= 302 && method === 'POST') {
      method = 'GET'
      for (const name of ['content-length', 'content-type']) headers.delete(name)
    }
    url = check(next.href)
  }
  throw refuse(`${url}: more than ${MAX_REDIRECTS} redirects`)
}

/** The body, or undefined where it is larger. */
async function readBody (response, maxBytes) {
  const chunks = []
  let length = 0
  for await (const chunk of chunksOf(response, refuse)) {
    length += chunk.length
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

module.exports = { httpHandlers }
