import vm from 'node:vm'

/** What a caller's own getter, trap or function throws. */
export const BOOM = new Error('boom')

export function boom () {
  throw BOOM
}

const TRAPS = ['apply', 'construct', 'defineProperty', 'deleteProperty', 'get', 'getOwnPropertyDescriptor', 'getPrototypeOf', 'has', 'isExtensible', 'ownKeys', 'preventExtensions', 'set', 'setPrototypeOf']

/** A proxy whose every trap throws. */
export function throwing (target = {}) {
  return new Proxy(target, Object.fromEntries(TRAPS.map(trap => [trap, boom])))
}

/** A proxy that has nothing behind it any longer. */
export function revoked (target = {}) {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

function detached () {
  const buffer = new ArrayBuffer(8)
  structuredClone(buffer, { transfer: [buffer] })
  return buffer
}

function detachedView () {
  const view = new Uint8Array(8)
  structuredClone(view.buffer, { transfer: [view.buffer] })
  return view
}

function outOfBounds () {
  const buffer = new ArrayBuffer(8, { maxByteLength: 16 })
  const view = new Uint8Array(buffer, 4, 4)
  buffer.resize(2)
  return view
}

/** An array of one element, which throws. */
function arrayOfGetter () {
  return Object.defineProperty([], 0, { get: boom, enumerable: true })
}

class Lying extends Uint8Array {
  get buffer () { return { length: 2 ** 53 } }
  get byteLength () { return 2 ** 40 }
  get length () { return -1 }
}

class Unreadable extends Uint8Array {
  get buffer () { return boom() }
}

/** One of a class that its constructor has not made. */
function fake (type) {
  return Object.create(type.prototype)
}

const PRIMITIVES = [
  undefined, null, true, false,
  0, -0, NaN, Infinity, -Infinity, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, Number.MAX_VALUE, Number.MIN_VALUE,
  0n, -1n, 2n ** 64n, 2n ** 1000n,
  Symbol('symbol'), Symbol.iterator,
  '', 'text', '\0', '\ud800', '{', '{"wasm":[null]}', '__proto__', 'constructor', 'x'.repeat(1 << 20)
]

const OBJECTS = {
  'an empty object': () => ({}),
  'an object without a prototype': () => Object.create(null),
  'a frozen object': () => Object.freeze({ wasm: Object.freeze([Object.freeze({ data: 'AGFzbQEAAAA=' })]) }),
  'an own __proto__': () => JSON.parse('{"__proto__":{"wasm":[{"data":""}]},"constructor":{"name":1},"toString":null}'),
  'a function': () => () => {},
  'a function that throws': () => boom,
  'an async function': () => async () => {},
  'a class': () => class { static wasm = [] },
  'a function of a strange name': () => Object.defineProperty(() => {}, 'name', { get: boom }),
  'an object of a strange class': () => ({ constructor: { name: Symbol('name') } }),
  'an array of nothing': () => [],
  'an array with holes': () => Object.assign([], { 2: 1 }),
  'an array of a getter': arrayOfGetter,
  'an array of itself': () => { const array = []; array.push(array); return array },
  'an array that is long and empty': () => new Array(1 << 20),
  'an array-like that is too long': () => ({ length: 2 ** 53, 0: 1 }),
  'an array-like of a negative length': () => ({ length: -1 }),
  'an iterable that throws': () => ({ [Symbol.iterator]: boom }),
  'an iterable that is none': () => ({ [Symbol.iterator]: () => 1 }),
  'a proxy that throws': throwing,
  'a proxy of a function that throws': () => throwing(() => {}),
  'a proxy of an array that throws': () => throwing([]),
  'a revoked proxy': revoked,
  'a revoked proxy of a function': () => revoked(() => {}),
  'a revoked proxy of an array': () => revoked([]),
  'a proxy of bytes': () => new Proxy(new Uint8Array(4), {}),
  'an object whose then throws': () => Object.defineProperty({}, 'then', { get: boom }),
  'a text that throws': () => ({ toString: boom, valueOf: boom }),
  'a primitive that throws': () => ({ [Symbol.toPrimitive]: boom }),
  'a primitive that is an object': () => ({ [Symbol.toPrimitive]: () => ({}) }),
  'a number in an object': () => ({ valueOf: () => 5 }),
  'a boxed string': () => Object('text'),
  'a boxed number': () => Object(5),
  'a boxed symbol': () => Object(Symbol('s')),
  'a Map': () => new Map([[{}, boom]]),
  'a Map of a strange key': () => new Map([[Symbol('key'), 'value']]),
  'a Set': () => new Set(['ab']),
  'a WeakMap': () => new WeakMap(),
  'a Date of no time': () => new Date(NaN),
  'an Error': () => new Error('error'),
  'a Promise': () => Promise.resolve(5),
  'a signal of no class': () => fake(AbortSignal),
  'a URL of no class': () => fake(URL),
  'bytes of no class': () => fake(Uint8Array),
  'a module of no class': () => fake(WebAssembly.Module),
  'an Error of no class': () => fake(Error),
  'a Response': () => new Response('text'),
  'a Response of no class': () => fake(Response),
  'no bytes': () => new Uint8Array(0),
  'an ArrayBuffer of no bytes': () => new ArrayBuffer(0),
  'a detached ArrayBuffer': detached,
  'a view of a detached ArrayBuffer': detachedView,
  'a resizable ArrayBuffer': () => new ArrayBuffer(8, { maxByteLength: 16 }),
  'a view that follows its buffer': () => new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 })),
  'a view that is out of bounds': outOfBounds,
  'a SharedArrayBuffer': () => new SharedArrayBuffer(8),
  'a growable SharedArrayBuffer': () => new SharedArrayBuffer(8, { maxByteLength: 16 }),
  'a DataView': () => new DataView(new ArrayBuffer(8), 4),
  'a Float64Array': () => new Float64Array(2),
  'a BigInt64Array': () => new BigInt64Array(2),
  'bytes that lie about themselves': () => new Lying(8),
  'bytes that cannot be read': () => new Unreadable(8),
  'an object of another realm': () => vm.runInNewContext('({ wasm: [{ data: "AGFzbQEAAAA=" }] })'),
  'an array of another realm': () => vm.runInNewContext('[1, null]'),
  'bytes of another realm': () => vm.runInNewContext('new Uint8Array(8)'),
  'an ArrayBuffer of another realm': () => vm.runInNewContext('new ArrayBuffer(8)'),
  'a function of another realm': () => vm.runInNewContext('() => {}'),
  'an Error of another realm': () => vm.runInNewContext('new RangeError("error")'),
  'the global object': () => globalThis
}

/** Names of bad values, and what makes them. */
export const VALUES = [
  ...PRIMITIVES.map(value => [`a ${typeof value} ${String(value).slice(0, 20)}`, () => value]),
  ...Object.entries(OBJECTS)
]
