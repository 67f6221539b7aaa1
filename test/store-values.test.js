import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Store } from '../index.js'

describe('values come out as they went in', () => {
  const KINDS = { 'a Buffer': Buffer.from, 'a Uint8Array': bytes => Uint8Array.from(bytes), 'an ArrayBuffer': bytes => Uint8Array.from(bytes).buffer }

  for (const [kind, make] of Object.entries(KINDS)) {
    test(`${kind} comes out as a Buffer of the same bytes`, () => {
      const bytes = Array.from({ length: 256 }, (_, i) => i)
      const store = new Store([['a', make(bytes)]])
      assert.ok(Buffer.isBuffer(store.get('a')))
      assert.deepEqual(store.get('a'), Buffer.from(bytes))
      assert.deepEqual([...store.values()], [Buffer.from(bytes)])
    })
  }

  test('a view takes only its own part of its buffer', () => {
    const view = new DataView(Uint8Array.from([1, 2, 3, 4]).buffer, 1, 2)
    assert.deepEqual(new Store([['a', view]]).get('a'), Buffer.from([2, 3]))
    const wide = Uint16Array.from([0x0201, 0x0403])
    assert.deepEqual(new Store([['a', wide]]).get('a'), Buffer.from([1, 2, 3, 4]))
  })

  test('a string comes out as a string, also where it is empty or not ASCII', () => {
    for (const text of ['', '👋 Hello World 🌍', 'a\0b', '\ufeff']) {
      assert.equal(new Store([['a', text]]).get('a'), text)
    }
  })

  test('empty bytes come out as an empty Buffer', () => {
    const value = new Store([['a', new Uint8Array(0)]]).get('a')
    assert.ok(Buffer.isBuffer(value))
    assert.equal(value.length, 0)
  })

  test('changing the input after set changes nothing', () => {
    const bytes = Buffer.from('before')
    const store = new Store([['a', bytes]])
    bytes.fill(0)
    assert.equal(store.get('a').toString(), 'before')
  })

  test('changing the output of get or of an iteration changes nothing', () => {
    const store = new Store([['a', Buffer.from('before')]])
    store.get('a').fill(0)
    for (const value of store.values()) value.fill(0)
    store.forEach(value => value.fill(0))
    assert.equal(store.get('a').toString(), 'before')
  })

  test('the empty string is a key like any other', () => {
    const store = new Store([['', 'nothing']])
    assert.equal(store.get(''), 'nothing')
    assert.deepEqual([...store.keys()], [''])
    assert.equal(store.delete(''), true)
  })

  test('keys are told apart by every character', () => {
    const keys = ['a', 'A', 'a ', 'a\0', 'é', 'e\u0301', '🌍', '__proto__', 'size']
    const store = new Store(keys.map(key => [key, key]))
    assert.equal(store.size, keys.length)
    for (const key of keys) assert.equal(store.get(key), key)
  })

  test('a value of 1 MiB comes out whole', () => {
    const bytes = Buffer.alloc(1 << 20, 'abcdefg')
    const text = 'é'.repeat(1 << 19)
    const store = new Store([['bytes', bytes], ['text', text]])
    assert.ok(store.get('bytes').equals(bytes))
    assert.ok(store.get('text') === text)
    assert.equal(store.stats().bytes, (2 << 20) + 'bytes'.length + 'text'.length)
  })

  test('a lone surrogate becomes the replacement character, in keys and in values', () => {
    const store = new Store([['\ud800', '\udc00!']])
    assert.equal(store.get('\ud800'), '\ufffd!')
    assert.deepEqual([...store], [['\ufffd', '\ufffd!']])
  })
})

describe('bad input is a TypeError that names it', () => {
  const refusal = message => ({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message })
  const KEYS = [[1, /key.*\b1\b/], [undefined, /key.*undefined/], [null, /key.*null/], [{}, /key.*Object/], [Buffer.from('a'), /key.*Buffer/], [Symbol('s'), /key.*symbol/], [1n, /key.*1n/]]

  for (const [key, message] of KEYS) {
    test(`${message.source} in get, has, set and delete`, () => {
      const store = new Store()
      assert.throws(() => store.get(key), refusal(message))
      assert.throws(() => store.has(key), refusal(message))
      assert.throws(() => store.set(key, ''), refusal(message))
      assert.throws(() => store.delete(key), refusal(message))
      assert.throws(() => new Store([[key, '']]), refusal(message))
    })
  }

  for (const value of [undefined, null, 5, true, {}, [], () => {}, 1n, Symbol('s')]) {
    test(`the value ${typeof value === 'object' ? JSON.stringify(value) : typeof value}`, () => {
      const store = new Store([['the key', 'before']])
      assert.throws(() => store.set('the key', value), refusal(/value of key "the key" must be a string or bytes/))
      assert.equal(store.get('the key'), 'before')
    })
  }

  test('an iterable that is none, or of anything but entries', () => {
    for (const iterable of [5, true, Symbol('s'), [1], 'ab', [['a']]]) {
      assert.throws(() => new Store(iterable), TypeError)
    }
  })

  test('a limit that is no number, or no positive one', () => {
    for (const name of ['maxEntries', 'maxBytes', 'ttlMs']) {
      assert.throws(() => new Store({ [name]: '5' }), refusal(new RegExp(`${name} must be a number; got "5"`)))
      for (const value of [0, -1, NaN, -Infinity]) {
        assert.throws(() => new Store({ [name]: value }), { name: 'RangeError', message: new RegExp(name) })
      }
    }
  })

  test('a callback that is no function', () => {
    assert.throws(() => new Store().forEach('x'), refusal(/callback must be a function; got "x"/))
  })

  test('a store that is none', () => {
    const { get } = Store.prototype
    assert.throws(() => get.call({}, 'a'), TypeError)
    assert.throws(() => Store('a'), TypeError)
  })
})
