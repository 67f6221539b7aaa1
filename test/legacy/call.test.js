import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Plugin } from '../../index.js'
import { guest, pluginBytes } from '../helpers.js'

const BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i))

for (const era of ['modern', '2023']) {
  describe(`plugin.call(name, input) with a plugin of the ${era} era`, () => {
    let plugin
    before(() => { plugin = new Plugin(pluginBytes(`${era}.wat`), false, [], { key: 'välue' }) })
    after(() => plugin.free())

    test('gives a promise of a Buffer', async () => {
      const promise = plugin.call('echo', 'x')
      assert.ok(promise instanceof Promise)
      assert.ok(Buffer.isBuffer(await promise))
    })

    test('every byte arrives and comes back unchanged', async () => {
      assert.deepEqual(await plugin.call('echo', BYTES), BYTES)
      assert.deepEqual(await plugin.call('reverse', BYTES), Buffer.from(BYTES).reverse())
    })

    test('eight bytes at a time come back unchanged', async () => {
      const bytes = Buffer.from([0xff, 0x80, 0, 1, 0xc3, 0x28, 0xfe, 0x7f])
      assert.deepEqual(await plugin.call('echo8', bytes), bytes)
    })

    test('a 1 MiB input comes back unchanged', async () => {
      const bytes = Buffer.alloc(1 << 20, BYTES)
      assert.ok((await plugin.call('echo', bytes)).equals(bytes))
    })

    test('a string is its UTF-8', async () => {
      const text = 'I 💜 Extism 😍\0'
      assert.deepEqual(await plugin.call('echo', text), Buffer.from(text))
    })

    test('no output is an empty Buffer, also after a call that had one', async () => {
      await plugin.call('echo', 'before')
      for (const name of ['nothing', 'echo']) {
        const output = await plugin.call(name)
        assert.ok(Buffer.isBuffer(output))
        assert.equal(output.length, 0)
      }
    })

    test('the configuration is there, and a key without a value reads as nothing', async () => {
      assert.equal((await plugin.call('config', 'key')).toString(), 'välue')
      assert.equal((await plugin.call('config', 'other')).length, 0)
    })

    test('variables stay from call to call', async () => {
      assert.equal((await plugin.call('kept')).length, 0)
      await plugin.call('keep', BYTES)
      assert.deepEqual(await plugin.call('kept'), BYTES)
      await plugin.call('keep', 'shorter')
      assert.equal((await plugin.call('kept')).toString(), 'shorter')
    })

    test('a log without a log file goes nowhere', async () => {
      assert.equal((await plugin.call('log', 'unheard')).length, 0)
    })
  })
}

describe('plugin.call(name, input)', () => {
  const plugin = new Plugin(pluginBytes('modern.wat'))
  after(() => plugin.free())

  const INPUTS = {
    'a Buffer': BYTES,
    'a Uint8Array': new Uint8Array(BYTES),
    'an ArrayBuffer': new Uint8Array(BYTES).buffer,
    'a SharedArrayBuffer': new SharedArrayBuffer(4),
    'a DataView of a part of a buffer': new DataView(new Uint8Array(BYTES).buffer, 10, 20),
    'a Uint16Array': Uint16Array.from([0x0102, 0xfffe]),
    'a Float64Array of a part of a buffer': new Float64Array(new Uint8Array(BYTES).buffer, 8, 2),
    'an empty Buffer': Buffer.alloc(0)
  }
  for (const [kind, input] of Object.entries(INPUTS)) {
    test(`takes the bytes of ${kind}`, async () => {
      const bytes = ArrayBuffer.isView(input) ? Buffer.from(input.buffer, input.byteOffset, input.byteLength) : Buffer.from(input)
      assert.deepEqual(await plugin.call('echo', input), bytes)
    })
  }

  test('takes the input as it is when called', async () => {
    const input = Buffer.from('before')
    const promise = plugin.call('echo', input)
    input.fill(0)
    assert.equal((await promise).toString(), 'before')
  })

  test('gives an output of its own', async () => {
    const [first, second] = await Promise.all([plugin.call('echo', 'same'), plugin.call('echo', 'same')])
    first.fill(0)
    assert.equal(second.toString(), 'same')
  })

  test('refuses what is neither a string nor bytes', async () => {
    for (const input of [5, null, {}, [1], true, Symbol('s')]) {
      await assert.rejects(plugin.call('echo', input), { name: 'TypeError', message: /input must be a string or bytes/ })
    }
    for (const name of [5, undefined, null, {}]) {
      await assert.rejects(plugin.call(name), { name: 'TypeError', message: /name of a function must be a string/ })
    }
  })

  test('calls run one after another, in order, on one instance', async () => {
    const counting = new Plugin(pluginBytes('modern.wat'))
    const outputs = await Promise.all(Array.from({ length: 9 }, () => counting.call('count')))
    assert.equal(outputs.join(''), '123456789')
    counting.free()
  })

  test('many calls at once each get their own answer', async () => {
    const inputs = Array.from({ length: 500 }, (_, i) => `input ${i}`)
    const outputs = await Promise.all(inputs.map(input => plugin.call('echo', input)))
    assert.deepEqual(outputs.map(String), inputs)
  })

  test('an output may be a part of a block', async () => {
    const part = new Plugin(guest('(func (export "part") (call $output_set (i64.add (call $input) (i64.const 2)) (i64.const 3)))'))
    assert.equal((await part.call('part', '0123456')).toString(), '234')
    part.free()
  })
})

describe('plugin.functionExists(name)', () => {
  const plugin = new Plugin(guest(`
    (global (export "global") i32 (i32.const 0))
    (func (export "plain"))
    (func (export "code") (result i32) (i32.const 0))
    (func (export "takes") (param i32))
    (func (export "gives") (result i64) (i64.const 0))`))
  after(() => plugin.free())

  test('is true, synchronously, for functions that can be called', () => {
    assert.equal(plugin.functionExists('plain'), true)
    assert.equal(plugin.functionExists('code'), true)
  })

  test('is false for anything else', () => {
    for (const name of ['absent', '', 'global', 'takes', 'gives', 'memory', 'toString', '__proto__', undefined, 5]) {
      assert.equal(plugin.functionExists(name), false, String(name))
    }
  })

  test('is false once the plugin is freed', () => {
    const freed = new Plugin(pluginBytes('modern.wat'))
    assert.equal(freed.functionExists('echo'), true)
    freed.free()
    assert.equal(freed.functionExists('echo'), false)
  })
})
