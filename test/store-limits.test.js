import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { setTimeout as elapse } from 'node:timers/promises'
import { Store } from '../index.js'
import { run } from './helpers.js'

const ENTRIES = [['b', '1'], ['a', '2'], ['c', '3']]

describe('a limit is enforced and counted', () => {
  test('maxEntries drops the oldest', () => {
    const store = new Store({ maxEntries: 2 })
    store.set('a', '1').set('b', '2').set('a', 'again').set('c', '3')
    assert.deepEqual([...store], [['b', '2'], ['c', '3']])
    assert.equal(store.stats().evictions, 1)
  })

  test('maxEntries drops nothing for an overwrite', () => {
    const store = new Store([['a', '1'], ['b', '2']], { maxEntries: 2 })
    store.set('b', '3').set('a', '4')
    assert.deepEqual([...store], [['a', '4'], ['b', '3']])
    assert.equal(store.stats().evictions, 0)
  })

  test('maxBytes counts keys and values and drops the oldest', () => {
    const store = new Store({ maxBytes: 10 })
    store.set('a', '1234').set('b', Buffer.alloc(4))
    assert.deepEqual([store.stats().bytes, store.stats().evictions], [10, 0])
    store.set('c', '')
    assert.deepEqual([...store.keys()], ['b', 'c'])
    assert.deepEqual([store.stats().bytes, store.stats().evictions], [6, 1])
  })

  test('maxBytes counts characters as they are stored', () => {
    const store = new Store([['é', '👋']])
    assert.equal(store.stats().bytes, 6)
  })

  test('an entry that alone exceeds maxBytes is refused by name, and nothing changes', () => {
    const store = new Store([['a', '1'], ['b', '2']], { maxBytes: 10 })
    assert.throws(() => store.set('a', 'x'.repeat(10)), { name: 'RangeError', message: /"a".*maxBytes/ })
    assert.deepEqual([...store], [['a', '1'], ['b', '2']])
    assert.equal(store.stats().evictions, 0)
  })

  test('ttlMs ends an entry everywhere', async () => {
    const ttlMs = 20
    const store = new Store([['a', '1'], ['b', '2']], { ttlMs })
    await elapse(ttlMs + 5)
    assert.equal(store.has('a'), false)
    assert.equal(store.get('a'), undefined)
    assert.equal(store.delete('a'), false)
    assert.equal(store.size, 0)
    assert.deepEqual([...store], [])
    const { expirations, evictions, misses } = store.stats()
    assert.deepEqual({ expirations, evictions, misses }, { expirations: 2, evictions: 0, misses: 1 })
  })

  test('ttlMs that is not over ends nothing', () => {
    const store = new Store([['a', '1']], { ttlMs: 86_400_000 })
    assert.equal(store.get('a'), '1')
    assert.equal(store.stats().expirations, 0)
  })

  test('undefined, null and Infinity are no limit', () => {
    for (const none of [undefined, null, Infinity]) {
      const store = new Store(ENTRIES, { maxEntries: none, maxBytes: none, ttlMs: none })
      assert.deepEqual([...store], ENTRIES)
    }
  })

  test('any number is taken or refused, and none ends the process', async () => {
    const { code, signal, stdout, stderr } = await run(`
      for (const name of ['maxEntries', 'maxBytes', 'ttlMs']) {
        for (const value of [1, 1.5, 2 ** 31, 2 ** 53, 2 ** 64, 1e30, Number.MAX_VALUE]) {
          try {
            new Store({ [name]: value }).set('a', 'b')
          } catch (error) {
            assert.equal(error.name, 'RangeError')
            assert.ok(error.message.includes(name), error.message)
          }
        }
      }
      console.log('survived')`)
    assert.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: 'survived\n' }, stderr)
  })
})

describe('stats', () => {
  test('start at nothing', () => {
    assert.deepEqual({ ...new Store().stats() }, { entries: 0, bytes: 0, hits: 0, misses: 0, evictions: 0, expirations: 0 })
  })

  test('count entries, bytes, hits and misses', () => {
    const store = new Store([['a', '12'], ['b', Buffer.alloc(3)]])
    store.get('a')
    store.get('b')
    store.get('z')
    store.has('a')
    const { entries, bytes, hits, misses } = store.stats()
    assert.deepEqual({ entries, bytes, hits, misses }, { entries: 2, bytes: 7, hits: 2, misses: 1 })
    store.set('a', '')
    store.delete('b')
    assert.equal(store.stats().bytes, 1)
    store.clear()
    assert.deepEqual([store.stats().entries, store.stats().bytes], [0, 0])
  })
})
