import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { asking } from './making.js'

const output = async (t, input) => (await asking(t)).call('echo', input)

describe('what a call gives', () => {
  test('is a DataView of exactly the bytes, which it has to itself', async t => {
    for (const length of [0, 1, 100, 5_000, 1 << 20]) {
      const given = await output(t, Buffer.alloc(length, 'x'))
      assert.ok(given instanceof DataView)
      assert.deepEqual([given.byteOffset, given.byteLength, given.buffer.byteLength], [0, length, length])
    }
  })

  test('of callSync is the same', async t => {
    const plugin = await asking(t)
    const given = plugin.callSync('echo', 'x'.repeat(10))
    assert.ok(given instanceof DataView)
    assert.deepEqual([given.byteOffset, given.byteLength, given.buffer.byteLength], [0, 10, 10])
  })

  test('stays as it is in later calls', async t => {
    const plugin = await asking(t)
    const first = await plugin.call('echo', 'first')
    await plugin.call('echo', 'other')
    assert.equal(first.text(), 'first')
  })

  test('text() and string() are its UTF-8', async t => {
    const given = await output(t, 'I 💜 Extism')
    assert.equal(given.text(), 'I 💜 Extism')
    assert.equal(given.string(), 'I 💜 Extism')
    assert.equal((await output(t, Buffer.from([0x61, 0xff]))).text(), 'a\ufffd')
    assert.equal((await output(t, '')).text(), '')
  })

  test('json() is what the text stands for', async t => {
    assert.deepEqual((await output(t, '{"a":[1,"ä"]}')).json(), { a: [1, 'ä'] })
    const given = await output(t, '{')
    assert.throws(() => given.json(), { name: 'SyntaxError' })
  })

  test('bytes() and arrayBuffer() are its bytes', async t => {
    const given = await output(t, Buffer.from([1, 2, 255]))
    assert.equal(given.bytes().constructor, Uint8Array)
    assert.deepEqual([...given.bytes()], [1, 2, 255])
    assert.ok(given.arrayBuffer() instanceof ArrayBuffer)
    assert.deepEqual([...new Uint8Array(given.arrayBuffer())], [1, 2, 255])
  })

  test('has what a DataView has to read with', async t => {
    const given = await output(t, Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]))
    assert.deepEqual([given.getUint8(0), given.getInt16(0), given.getUint32(0, true)], [1, 0x0102, 0x04030201])
    assert.equal(given.getBigUint64(0), 0x0102030405060708n)
    assert.throws(() => given.getUint8(8), RangeError)
  })

  test('cannot be set', async t => {
    const given = await output(t, '12345678')
    const setters = ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64', 'BigInt64', 'BigUint64']
    for (const setter of setters) assert.throws(() => given[`set${setter}`](0, 0), { name: 'Error', message: 'Cannot set values on output' })
    assert.equal(given.text(), '12345678')
  })
})
