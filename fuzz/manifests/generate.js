// Manifests that are right, and what is done to them.

const TEXT = '(module (func (export "run")))'
const WASM = Buffer.from('0061736d01000000010401600000030201000707010372756e00000801000a040102000b', 'hex')
const LIBRARY = '(module (func (export "f")))'
const MAIN = '(module (import "library" "f" (func)) (func (export "run")))'

const KEYS = [
  'wasm', 'data', 'path', 'url', 'name', 'hash', 'memory', 'max_pages', 'maxPages', 'max_var_bytes', 'maxVarBytes',
  'maxHttpResponseBytes', 'config', 'allowed_hosts', 'allowedHosts', 'allowed_paths', 'allowedPaths', 'timeout_ms',
  'timeoutMs', '__proto__', 'constructor', 'toString', 'then', 'length', 'response', 'module', 'unknown', '', '0'
]

const nested = (depth, wrap) => {
  let value = 0
  for (let i = 0; i < depth; i++) value = wrap(value)
  return value
}

/** What JSON has as well. */
const PLAIN = [
  () => null, () => true, () => false, () => 0, () => 1, () => -1, () => 0.5, () => 2 ** 31, () => 2 ** 32, () => 2 ** 53,
  () => 1e308, () => 65_536, () => 65_537, () => '', () => 'main', () => 'env', () => 'extism:host/env', () => '1',
  () => 'not base64!', () => 'AGFzbQEAAAA=', () => TEXT, () => '/does/not/exist', () => '/', () => 'a\0b', () => '\ud800',
  () => 'http://', () => 'file:///does/not/exist', () => 'x'.repeat(100_000), () => [], () => [[]], () => [null], () => ({}),
  () => ({ ptr: 0, len: 8 }), () => ({ ptr: 2 ** 52, len: 2 ** 40 }), () => ({ type: 'Buffer', data: [0, 97, 115, 109] }),
  () => nested(1_000, value => [value]), () => nested(1_000, value => ({ wasm: value })), () => JSON.parse('{"__proto__":{"wasm":[]}}')
]

/** What only JavaScript has. */
const STRANGE = [
  () => undefined, () => NaN, () => Infinity, () => -Infinity, () => -0, () => 10n, () => 2n ** 64n, () => Symbol('s'), () => () => 1,
  () => new Date(NaN), () => new Map([['a', 'b']]), () => new Set([1]), () => new Uint8Array(8), () => new ArrayBuffer(0),
  () => new SharedArrayBuffer(8), () => new DataView(new ArrayBuffer(4)), () => new Float64Array(2), () => Buffer.from([0xff, 0xfe]),
  () => Object.create(null), () => new Proxy({}, { get () { throw new TypeError('a trap of a proxy') } }), () => /x/,
  () => ({ toString: null, valueOf: null }), () => Promise.resolve(1), () => new WeakMap(), () => Array(10), () => new URL('file:///does/not/exist'),
  () => { const circle = {}; circle.wasm = [circle]; return circle }
]

/** What a text can have where a value is. */
const WRITTEN = ['18446744073709551616', '-9223372036854775809', '1e999', 'NaN', '0x10', '01', '"\\ud800"', '"\\u0000"', '{"a":1,"a":2}', '', ',', '"', '\u2028', '['.repeat(1_000)]

/** A manifest that is right. */
export function right (random) {
  const code = () => random.oneOf([() => ({ data: Buffer.from(TEXT) }), () => ({ data: WASM.toString('base64') }), () => ({ data: new Uint8Array(WASM) })])()
  const manifest = {
    wasm: random.chance(3)
      ? [{ name: 'library', data: Buffer.from(LIBRARY) }, { name: 'main', data: Buffer.from(MAIN) }]
      : [{ ...code(), ...(random.chance(2) && { name: 'main' }) }]
  }
  if (random.chance(2)) manifest.memory = random.oneOf([{ max_pages: 10 }, { maxPages: 10, maxVarBytes: 100 }, {}])
  if (random.chance(2)) manifest.config = { key: 'value' }
  if (random.chance(3)) manifest.allowed_hosts = ['*.example.com']
  if (random.chance(3)) manifest.timeout_ms = 10_000
  return manifest
}

/** Changes something somewhere in a value. */
export function wrong (random, value, values) {
  if (random.chance(6) || typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return random.oneOf(values)()
  const copy = Array.isArray(value) ? [...value] : { ...value }
  const keys = Object.keys(copy)
  const known = KEYS.filter(key => !Array.isArray(copy) || key !== 'length')
  const key = keys.length && !random.chance(4) ? random.oneOf(keys) : random.oneOf(known)
  const change = random.below(10)
  if (change === 0) delete copy[key]
  else if (change === 1 && Array.isArray(copy)) copy.push(...copy)
  else Object.defineProperty(copy, key, { value: wrong(random, copy[key], values), enumerable: true, configurable: true, writable: true })
  return copy
}

export const inJson = random => wrong(random, jsonable(right(random)), PLAIN)
export const inJavaScript = random => wrong(random, right(random), random.chance(2) ? PLAIN : STRANGE)

function jsonable (manifest) {
  return { ...manifest, wasm: manifest.wasm.map(item => ({ ...item, data: Buffer.from(item.data, 'base64').toString('base64') })) }
}

/** The text of a manifest, broken now and then, or its bytes. */
export function text (random) {
  let json = JSON.stringify(random.chance(3) ? jsonable(right(random)) : inJson(random)) ?? ''
  if (random.chance(3)) {
    const at = random.below(json.length + 1)
    json = json.slice(0, at) + random.oneOf(WRITTEN) + json.slice(at + random.below(4))
  }
  if (random.chance(3)) json = json.replace(/(?<=:)("[^"]*"|\d+|\{\}|\[\])/, () => random.oneOf(WRITTEN))
  if (random.chance(2)) return json
  const bytes = Buffer.from(json)
  if (bytes.length && random.chance(3)) bytes[random.below(bytes.length)] = random.below(256)
  return bytes
}
