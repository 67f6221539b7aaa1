import { test } from 'node:test'
import { survives } from './attack.js'

/** Every function that is a property of these, or of what they inherit from; and a try of each on any receiver. */
const WALK = `
  const ENDS = [Object.prototype, Function.prototype, Error.prototype, DataView.prototype, null]
  const functionsOf = object => {
    const found = []
    for (; !ENDS.includes(object); object = Object.getPrototypeOf(object)) {
      for (const key of Reflect.ownKeys(object)) {
        const { value, get, set } = Object.getOwnPropertyDescriptor(object, key)
        for (const f of [value, get, set]) if (typeof f === 'function') found.push([String(key), f])
      }
    }
    return found
  }
  const CLASSES = [CancelHandle, Context, CurrentPlugin, ExtismError, HostFunction, Plugin, Store]
  const NATIVE = Store.native(new Store()).constructor
  const receivers = () => [
    new Context(), new ExtismError('ERR', 'text'), new Store(), Store.native(new Store()), hostFunction(), legacy(), legacy().cancelHandle(),
    ...[...CLASSES, NATIVE].map(type => Object.create(type.prototype)),
    ...VALUES.filter(([name]) => !name.startsWith('a Response')).map(([, make]) => make())
  ]
  let tried = 0
  const tryAll = async object => {
    const all = receivers()
    for (const [name, f] of functionsOf(object)) {
      for (const receiver of all) {
        tried++
        // JSON.parse says what is wrong with a text, and has no code for it.
        await attempt(name, () => { Promise.resolve(Reflect.apply(f, receiver, ['key', 'value'])).catch(() => {}) }).catch(error => {
          if (!(error.cause instanceof Error) || error.cause.code === 'ERR_EXTISM_INTERNAL') throw error
        })
      }
    }
  }`

test('every method and accessor throws where it is called on something else', t => survives(t, `
  ${WALK}
  for (const type of [...CLASSES, NATIVE]) {
    await tryAll(type.prototype)
    await tryAll(type)
  }
  await tryAll(Object.getPrototypeOf(await modern()))
  console.log(tried > 5_000)`, { lines: ['true'] }))

test('so do those of what a host function gets, and of what a call gives', t => survives(t, `
  ${WALK}
  const given = []
  const keep = value => { given.push(value); return 0n }
  const [first, second] = [legacy(keep), await modern(keep)]
  await first.call('tell')
  await second.call('tell')
  for (const value of given) await tryAll(Object.getPrototypeOf(value))
  await tryAll(Object.getPrototypeOf(await second.call('echo', '{}')))
  console.log(given.length)`, { lines: ['2'] }))

test('classes throw where they are called without new, and can be extended or made of another class', t => survives(t, `
  ${WALK}
  for (const type of CLASSES) {
    assert.throws(() => type(), TypeError)
    assert.throws(() => Reflect.apply(type, new Store(), []), TypeError)
    class Extended extends type {}
    for (const target of [Extended, Object, Uint8Array, Promise, Store, Proxy]) {
      await attempt(type.name, () => { Reflect.construct(type, [() => {}], target) })
    }
  }
  class Named extends Plugin {}
  console.log(String(await new Named(CODE, false, [hostFunction()]).call('echo', 'extended')))`, { lines: ['extended'] }))
