import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Store } from '../index.js'

const ENTRIES = [['b', '1'], ['a', '2'], ['c', '3']]

/** What `visit` does to a Map, it does to a Store. */
function sameAsMap (visit, entries = ENTRIES) {
  const expected = visit(new Map(entries))
  assert.deepEqual(visit(new Store(entries)), expected)
  return expected
}

describe('a store has the face of a Map', () => {
  test('get gives what was set, and undefined for a key that is not there', () => {
    const store = new Store()
    store.set('a', '1')
    assert.equal(store.get('a'), '1')
    assert.equal(store.get('b'), undefined)
  })

  test('set returns the store and overwrites', () => {
    const store = new Store()
    assert.equal(store.set('a', '1').set('a', '2'), store)
    assert.equal(store.get('a'), '2')
    assert.equal(store.size, 1)
  })

  test('has tells whether a key is there', () => {
    const store = new Store(ENTRIES)
    assert.equal(store.has('a'), true)
    assert.equal(store.has('z'), false)
  })

  test('delete removes a key and tells whether it was there', () => {
    const store = new Store(ENTRIES)
    assert.equal(store.delete('a'), true)
    assert.equal(store.delete('a'), false)
    assert.equal(store.has('a'), false)
    assert.equal(store.size, 2)
  })

  test('clear removes everything and returns nothing', () => {
    const store = new Store(ENTRIES)
    assert.equal(store.clear(), undefined)
    assert.equal(store.size, 0)
    assert.deepEqual([...store], [])
  })

  test('size counts the entries and cannot be assigned', () => {
    const store = new Store(ENTRIES)
    assert.equal(store.size, 3)
    assert.throws(() => { store.size = 5 }, TypeError)
  })

  test('entries, keys and values are iterators in insertion order', () => {
    sameAsMap(map => [[...map.entries()], [...map.keys()], [...map.values()], [...map]])
    const keys = new Store(ENTRIES).keys()
    assert.equal(keys[Symbol.iterator](), keys)
    assert.deepEqual(keys.next(), { value: 'b', done: false })
  })

  test('an iterator that is done stays done', () => {
    sameAsMap(map => {
      const keys = map.keys()
      const seen = [...keys]
      map.set('later', 'x')
      return [seen, keys.next()]
    })
  })

  test('forEach passes value, key and the store, and uses thisArg', () => {
    const store = new Store(ENTRIES)
    const context = {}
    const seen = []
    const returned = store.forEach(function (value, key, whole) {
      assert.equal(this, context)
      assert.equal(whole, store)
      seen.push([key, value])
    }, context)
    assert.equal(returned, undefined)
    assert.deepEqual(seen, ENTRIES)
  })

  test('its tag is Store', () => {
    assert.equal(Object.prototype.toString.call(new Store()), '[object Store]')
  })

  test('an overwrite keeps the place of a key, delete and set moves it to the end', () => {
    const keys = sameAsMap(map => {
      map.set('a', 'new')
      map.delete('b')
      map.set('b', 'again')
      return [...map.keys()]
    })
    assert.deepEqual(keys, ['a', 'c', 'b'])
  })

  test('more entries than any batch come in order', () => {
    const entries = Array.from({ length: 1000 }, (_, i) => [`key ${i}`, `${i}`])
    assert.deepEqual([...new Store(entries)], entries)
  })
})

describe('an iteration is live', () => {
  const MANY = Array.from({ length: 200 }, (_, i) => [`k${i}`, `${i}`])
  const visit = change => map => {
    const seen = []
    for (const [key, value] of map) {
      seen.push([key, value])
      assert.ok(seen.length < 1000, 'the iteration does not end')
      change(map, key, seen.length)
    }
    return seen
  }

  test('what is deleted before its turn is not visited', () => {
    const seen = sameAsMap(visit((map, key) => {
      if (key === 'k3') for (let i = 5; i < 150; i++) map.delete(`k${i}`)
    }), MANY)
    assert.equal(seen.length, 55)
  })

  test('the current entry can be deleted', () => {
    const seen = sameAsMap(visit((map, key) => map.delete(key)), MANY)
    assert.equal(seen.length, 200)
  })

  test('what is added is visited', () => {
    const seen = sameAsMap(visit((map, key, count) => count < 100 && map.set(`new ${count}`, 'x')), MANY)
    assert.equal(seen.length, 299)
  })

  test('what is deleted and set again is visited again', () => {
    const seen = sameAsMap(visit((map, key, count) => {
      if (count === 2) {
        map.delete('k0')
        map.set('k0', 'again')
      }
    }), MANY)
    assert.deepEqual(seen.at(-1), ['k0', 'again'])
  })

  test('what is overwritten before its turn has its new value', () => {
    const seen = sameAsMap(visit((map, key) => key === 'k0' && map.set('k1', 'new')), MANY)
    assert.deepEqual(seen[1], ['k1', 'new'])
  })

  test('clear ends it, and what is set after a clear is visited', () => {
    assert.equal(sameAsMap(visit((map, key) => key === 'k4' && map.clear()), MANY).length, 5)
    const seen = sameAsMap(visit((map, key, count) => {
      if (count === 5) {
        map.clear()
        map.set('k4', 'after')
        map.set('fresh', 'x')
      }
    }), MANY)
    assert.deepEqual(seen.slice(-2), [['k4', 'after'], ['fresh', 'x']])
  })

  test('two iterations do not disturb each other', () => {
    sameAsMap(map => {
      const seen = []
      for (const a of map.keys()) for (const b of map.keys()) seen.push(a + b)
      return seen
    })
  })

  test('forEach is live, too', () => {
    sameAsMap(map => {
      const seen = []
      map.forEach((value, key) => {
        seen.push(key)
        if (key === 'b') map.delete('a')
        if (key === 'c') map.set('d', 'x')
      })
      return seen
    })
  })
})

describe('a store is made from', () => {
  test('nothing, undefined or null', () => {
    for (const store of [new Store(), new Store(undefined), new Store(null)]) assert.equal(store.size, 0)
  })

  test('a Map, an array, a generator or another store', () => {
    function * generate () {
      yield * ENTRIES
    }
    for (const source of [new Map(ENTRIES), ENTRIES, generate(), new Store(ENTRIES)]) {
      assert.deepEqual([...new Store(source)], ENTRIES)
    }
  })

  test('another store, of which it is independent', () => {
    const first = new Store(ENTRIES)
    const second = new Store(first)
    second.set('a', 'changed')
    assert.equal(first.get('a'), '2')
  })

  test('options alone, or after the entries', () => {
    assert.deepEqual([...new Store(ENTRIES, { maxEntries: 2 }).keys()], ['a', 'c'])
    const store = new Store({ maxEntries: 1 })
    store.set('a', '1').set('b', '2')
    assert.deepEqual([...store.keys()], ['b'])
  })
})
