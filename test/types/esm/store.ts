// Everything about `Store`, as an ES module sees it. It is only type-checked, never run.

import { Store } from 'extism-napi'
import type { StoreOptions, StoreStats } from 'extism-napi'
import { expectType } from './exact.js'

const options: StoreOptions = { maxEntries: 10, maxBytes: 1 << 20, ttlMs: Infinity }
export const store = new Store([['text', 'a'], ['bytes', new Uint8Array(1)]], options)
const stores = [
  new Store(),
  new Store(null),
  new Store(undefined, options),
  new Store({ ttlMs: 1000 }),
  new Store(new Map([['key', 'value']])),
  new Store(new Map([['key', Buffer.from('value')]])),
  new Store(store)
]

expectType<string | Buffer | undefined>()(store.get('text'), true)
expectType<boolean>()(store.has('text'), true)
expectType<Store>()(store.set('a', '1').set('b', new DataView(new ArrayBuffer(1))), true)
store.set('c', new ArrayBuffer(1)).set('d', new SharedArrayBuffer(1))
expectType<boolean>()(store.delete('text'), true)
expectType<number>()(store.size, true)
expectType<string>()(store[Symbol.toStringTag], true)
expectType<Array<[string, string | Buffer]>>()([...store], true)
expectType<Array<[string, string | Buffer]>>()([...store.entries()], true)
expectType<string[]>()([...store.keys()], true)
expectType<Array<string | Buffer>>()([...store.values()], true)
store.forEach((value, key, itself) => {
  expectType<string | Buffer>()(value, true)
  expectType<string>()(key, true)
  expectType<Store>()(itself, true)
})
store.forEach(function () {
  expectType<Date>()(this, true)
}, new Date())
store.clear()

const stats: StoreStats = store.stats()
expectType<number>()(
  stats.entries + stats.bytes + stats.hits + stats.misses + stats.evictions + stats.expirations,
  true
)

// @ts-expect-error: keys are strings
store.set(1, 'value')
// @ts-expect-error: values are strings or bytes
store.set('key', 1)
// @ts-expect-error: no value
store.set('key', undefined)
// @ts-expect-error: an array of numbers has no bytes
store.set('key', [1, 2])
// @ts-expect-error: values are strings or bytes
stores.push(new Store([['key', 1]]))
// @ts-expect-error: misspelled
stores.push(new Store({ ttlMS: 1 }))
// @ts-expect-error: the size follows from the entries
store.size = 0
// @ts-expect-error: looks like a store, is none
stores.push(new Map([['key', 'value']]))
