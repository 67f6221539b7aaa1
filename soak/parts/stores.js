// Stores that change all the time, and plugins that read them: no value is ever torn.

import { Store, memoryGet } from 'extism-napi'
import { READER } from '../guests.js'
import { MAKERS, filled, make } from '../subject.js'

const KEYS = Array.from({ length: 64 }, (_, i) => `key ${i}`)
const MAX_BYTES = 1 << 20

const BOUNDS = [{}, { maxBytes: MAX_BYTES }, { maxEntries: 16 }, { ttlMs: 5 }]

export async function open ({ random, book, settings }) {
  const places = await Promise.all(BOUNDS.map(async bounds => {
    const store = new Store(bounds)
    const functions = [memoryGet('look_up', store)]
    const readers = await Promise.all(MAKERS.map(maker => make(maker, READER, { functions, instances: 2, ...settings })))
    return { store, bounds, readers: await filled(readers, 'read') }
  }))

  /** Its length follows from its bytes, which are all the same. */
  const value = () => {
    const number = random.between(1, 255)
    return Buffer.alloc(number * 500, number)
  }
  const set = () => random.pick(places).store.set(random.pick(KEYS), value())
  const work = (name, f) => book(name, async () => { for (let i = 0; i < 50; i++) f() }, { gives: () => true })
  const read = (name, place) => book(name, random.pick(place.readers).call('read', random.pick(KEYS)), { gives: isWhole })

  return {
    operations: {
      set: name => work(name, set),
      'set and delete': name => work(name, () => {
        set()
        random.pick(places).store.delete(random.pick(KEYS))
      }),
      clear: name => book(name, async () => random.pick(places).store.clear(), { gives: () => true }),
      iterate: name => book(name, async () => {
        const { store } = random.pick(places)
        return [...store].every(([key, value]) => KEYS.includes(key) && value.length > 0 && isWhole(value))
      }, { gives: whole => whole }),
      bounds: name => book(name, async () => places.every(({ store, bounds }) => {
        const { bytes, entries } = store.stats()
        return bytes <= (bounds.maxBytes ?? Infinity) && entries <= (bounds.maxEntries ?? KEYS.length)
      }), { gives: kept => kept }),
      read: async name => {
        const place = random.pick(places)
        const reads = Array.from({ length: 16 }, () => read(name, place))
        for (let i = 0; i < 8; i++) place.store.set(random.pick(KEYS), value())
        await Promise.all(reads)
      },
      'made and forgotten': async name => {
        const store = new Store(KEYS.slice(0, 4).map(key => [key, value()]))
        const reader = await make(random.pick(MAKERS), READER, { functions: [memoryGet('look_up', store)], ...settings })
        await book(name, reader.call('read', KEYS[0]), { gives: output => output.length > 0 && isWhole(output) })
      }
    },
    close: () => Promise.all(places.flatMap(({ readers }) => readers.map(reader => reader.close())))
  }
}

/** A value that is not there is empty. */
function isWhole (bytes) {
  return bytes.length === 0 || (bytes.length === bytes[0] * 500 && bytes.every(byte => byte === bytes[0]))
}
