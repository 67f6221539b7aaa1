import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin, Store, memoryGet } from '../index.js'
import { ERAS, guest } from './helpers.js'

const EXPORTS = `
  (func (export "get") (call $give (call $hostMemoryGet (call $input))))
  (func (export "offset") (result i32) (i32.ne (i32.const 0) (i32.wrap_i64 (call $hostMemoryGet (call $input)))))
  (func (export "nowhere") (call $give (call $hostMemoryGet (i64.add (call $input) (i64.const 1)))))
  (func (export "zero") (call $give (call $hostMemoryGet (i64.const 0))))
  (func (export "minus") (call $give (call $hostMemoryGet (i64.const -1))))
  (func (export "far") (call $give (call $hostMemoryGet (i64.const 0x100000000000))))
  (func (export "freed") (local $key i64)
    (local.set $key (call $input))
    (call $free (local.get $key))
    (call $give (call $hostMemoryGet (local.get $key))))
  (func (export "key") (local $key i64)
    (local.set $key (call $input))
    (drop (call $hostMemoryGet (local.get $key)))
    (call $give (local.get $key)))`

function reading (store, options, era = 'modern') {
  const code = guest(EXPORTS, { user: '(import USER "hostMemoryGet" (func $hostMemoryGet (param i64) (result i64)))', era })
  return new Plugin(code, false, [memoryGet('hostMemoryGet', store, options)])
}

/** The output of one call of a plugin of its own. */
async function read (store, name, key, options, era) {
  const plugin = reading(store, options, era)
  try {
    return await plugin.call(name, key)
  } finally {
    plugin.free()
  }
}

/** Whether the plugin gets an offset other than 0. */
async function hasOffset (store, key, options) {
  const error = await read(store, 'offset', key, options).then(() => undefined, error => error)
  return error?.exitCode === 1
}

for (const era of Object.keys(ERAS)) {
  test(`a plugin of the ${era} era reads what JavaScript put in`, async () => {
    const store = new Store([['hello', '👋 Hello World 🌍']])
    assert.equal((await read(store, 'get', 'hello', {}, era)).toString(), '👋 Hello World 🌍')
  })
}

describe('what is there', () => {
  for (const missing of [undefined, 'absent', 'error', 'empty']) {
    test(`is found with missing: ${missing}`, async () => {
      assert.equal((await read(new Store([['k', 'v']]), 'get', 'k', { missing })).toString(), 'v')
    })
  }

  test('comes as the same bytes, however many', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    const store = new Store([['all', all], ['large', Buffer.alloc(1 << 20, all)]])
    assert.deepEqual(await read(store, 'get', 'all'), all)
    assert.ok((await read(store, 'get', 'large')).equals(store.get('large')))
  })

  test('may have a key of any text', async () => {
    for (const key of ['é', '🌍', 'a\0b', 'x'.repeat(10_000), '__proto__', '\ufeff']) {
      assert.equal((await read(new Store([[key, 'found']]), 'get', key)).toString(), 'found')
    }
  })

  test('leaves the key as it is', async () => {
    assert.equal((await read(new Store([['key', 'value']]), 'key', 'key')).toString(), 'key')
  })

  test('may be an empty value, which reads as nothing', async () => {
    for (const missing of ['absent', 'error', 'empty']) {
      for (const value of ['', Buffer.alloc(0)]) {
        assert.equal((await read(new Store([['k', value]]), 'get', 'k', { missing })).length, 0)
      }
    }
  })

  test('is what it is at each call', async () => {
    const store = new Store([['k', 'first']])
    const plugin = reading(store)
    const get = async () => (await plugin.call('get', 'k')).toString()
    assert.equal(await get(), 'first')
    store.set('k', 'second')
    assert.equal(await get(), 'second')
    store.set('k', Buffer.from('third'))
    assert.equal(await get(), 'third')
    store.delete('k')
    assert.equal(await get(), '')
    store.set('k', 'again')
    assert.equal(await get(), 'again')
    store.clear()
    assert.equal(await get(), '')
    plugin.free()
  })

  test('is shared by many plugins, and by many functions of one', async () => {
    const [first, second] = [new Store([['k', '1']]), new Store([['k', '2']])]
    const code = guest('(func (export "a") (call $give (call $a (call $input)))) (func (export "b") (call $give (call $b (call $input))))', {
      user: '(import USER "a" (func $a (param i64) (result i64))) (import USER "b" (func $b (param i64) (result i64)))'
    })
    const plugins = Array.from({ length: 3 }, () => new Plugin(code, false, [memoryGet('a', first), memoryGet('b', second)]))
    const outputs = await Promise.all(plugins.flatMap(plugin => [plugin.call('a', 'k'), plugin.call('b', 'k')]))
    assert.equal(outputs.join(''), '121212')
    for (const plugin of plugins) plugin.free()
  })

  test('counts as a hit, what is not as a miss', async () => {
    const store = new Store([['k', 'v']])
    await read(store, 'get', 'k')
    await read(store, 'get', 'k')
    await read(store, 'get', 'other')
    assert.deepEqual([store.stats().hits, store.stats().misses], [2, 1])
  })
})

describe('what is not there', () => {
  test('reads as absent, offset 0, by default', async () => {
    for (const options of [undefined, {}, { missing: 'absent' }]) {
      assert.equal(await hasOffset(new Store(), 'absent', options), false)
      assert.equal((await read(new Store(), 'get', 'absent', options)).length, 0)
    }
  })

  test("with missing: 'error' fails the call, with the key in the message", async () => {
    const plugin = reading(new Store([['there', 'yes']]), { missing: 'error' })
    await assert.rejects(plugin.call('get', 'nirgendwö'), { name: 'ExtismError', code: 'ERR_EXTISM_HOST_FUNCTION', message: /^Plugin error: host function "hostMemoryGet": .*"nirgendwö"/ })
    assert.equal((await plugin.call('get', 'there')).toString(), 'yes')
    plugin.free()
  })

  test("with missing: 'empty' gives an empty block", async () => {
    assert.equal(await hasOffset(new Store(), 'absent', { missing: 'empty' }), true)
    assert.equal((await read(new Store(), 'get', 'absent', { missing: 'empty' })).length, 0)
  })
})

describe('a key that is none fails the call, and the plugin goes on', () => {
  const plugin = reading(new Store([['\ufffd', 'not this'], ['', 'nor this'], ['k', 'v']]))
  const FAILED = { name: 'ExtismError', code: 'ERR_EXTISM_HOST_FUNCTION', message: /^Plugin error: host function "hostMemoryGet": / }

  for (const bytes of [[0xff], [0xc3, 0x28], [0x61, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x91]]) {
    test(`invalid UTF-8, ${Buffer.from(bytes).toString('hex')}`, async () => {
      await assert.rejects(plugin.call('get', Buffer.from(bytes)), { ...FAILED, message: /UTF-8/ })
      assert.equal((await plugin.call('get', 'k')).toString(), 'v')
    })
  }

  for (const name of ['nowhere', 'minus', 'far', 'freed', 'zero']) {
    test(`an offset that points nowhere, ${name}`, async () => {
      await assert.rejects(plugin.call(name, 'key'), FAILED)
      assert.equal((await plugin.call('get', 'k')).toString(), 'v')
    })
  }
})

describe('memoryGet(name, store, { missing })', () => {
  test('makes a host function of that name, with a namespace as any', async () => {
    const store = new Store([['k', 'v']])
    const f = memoryGet('read', store)
    assert.ok(f instanceof HostFunction)
    assert.equal(f.name, 'read')
    const code = guest('(func (export "get") (call $give (call $read (call $input))))', { user: '(import "mine" "read" (func $read (param i64) (result i64)))' })
    const plugin = new Plugin(code, false, [f.withNamespace('mine')])
    assert.equal((await plugin.call('get', 'k')).toString(), 'v')
    plugin.free()
  })

  test('refuses what is no name, no store and no way to be missing, by name', () => {
    const store = new Store()
    for (const name of [undefined, '', 5]) assert.throws(() => memoryGet(name, store), { name: 'TypeError', message: /name/ })
    for (const bad of [undefined, null, new Map(), {}, 'store']) assert.throws(() => memoryGet('f', bad), { name: 'TypeError', message: /store must be a Store/ })
    for (const missing of ['nothing', 5, '']) assert.throws(() => memoryGet('f', store, { missing }), { name: /TypeError|RangeError/, message: /missing must be/ })
  })

  test('has the signature (i64) -> (i64), and nothing else links', () => {
    for (const type of ['(param i32) (result i64)', '(param i64)', '(param i64 i64) (result i64)']) {
      const code = `(module (import "env" "f" (func ${type})))`
      assert.throws(() => new Plugin(code, false, [memoryGet('f', new Store())]), { code: 'ERR_EXTISM_LINK' })
    }
  })
})
