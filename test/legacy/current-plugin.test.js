import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { ERAS } from '../helpers.js'
import { ask, asking } from './asking.js'

for (const era of Object.keys(ERAS)) {
  describe(`CurrentPlugin of a plugin of the ${era} era`, () => {
    test('the way of the original server: memory, memoryAlloc, memory().write, v.i64', async () => {
      const map = new Map([['hello', '👋 Hello World 🌍']])
      const plugin = asking((current, inputs, outputs) => {
        const value = map.get(current.memory(inputs[0].v.i64).toString())
        const offset = current.memoryAlloc(Buffer.byteLength(value))
        current.memory(offset).write(value)
        outputs[0].v.i64 = offset
      }, era)
      assert.equal((await plugin.call('ask', 'hello')).toString(), '👋 Hello World 🌍')
      plugin.free()
    })
  })
}

describe('CurrentPlugin.memory(offset)', () => {
  test('is a Buffer of the block', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    const { returned } = await ask((current, [input]) => {
      const memory = current.memory(input.v.i64)
      assert.ok(Buffer.isBuffer(memory))
      return Buffer.from(memory)
    }, bytes)
    assert.deepEqual(returned, bytes)
  })

  test('what is written into it is what the plugin sees', async () => {
    const { output } = await ask((current, [input]) => { current.memory(input.v.i64).write('IN') }, 'input', 'through')
    assert.equal(output.toString(), 'INput')
  })

  test('what is written before the promise settles is what the plugin sees', async () => {
    const { output } = await ask(async (current, [input]) => {
      const memory = current.memory(input.v.i64)
      await new Promise(setImmediate)
      memory.fill('x')
    }, 'input', 'through')
    assert.equal(output.toString(), 'xxxxx')
  })

  test('asked for twice it shows what was written', async () => {
    await ask((current, [input]) => {
      current.memory(input.v.i64).write('IN')
      assert.equal(current.memory(input.v.i64).toString(), 'INput')
      assert.equal(current.inputString(input), 'INput')
    })
  })

  test('also a large block can be read and written', async () => {
    const { output } = await ask((current, [input]) => {
      const memory = current.memory(input.v.i64)
      assert.equal(memory.length, 1 << 20)
      assert.ok(memory.equals(Buffer.alloc(1 << 20, 'ab')))
      memory.fill('cd')
    }, Buffer.alloc(1 << 20, 'ab'), 'through')
    assert.ok(output.equals(Buffer.alloc(1 << 20, 'cd')))
  })

  test('is empty where there is no block', async () => {
    await ask((current, [input]) => {
      for (const offset of [0, 1, 12, 64, input.v.i64 + 1, 1e6, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
        assert.equal(current.memory(offset).length, 0, `${offset}`)
      }
    })
  })

  test('takes a bigint, and refuses what is no offset', async () => {
    await ask((current, [input]) => {
      assert.equal(current.memory(BigInt(input.v.i64)).toString(), 'input')
      for (const offset of ['5', undefined, null, {}]) {
        assert.throws(() => current.memory(offset), { name: 'TypeError', message: /offset must be a number or a bigint/ })
      }
      for (const offset of [-1, 0.5, NaN, 2 ** 53, -1n, 2n ** 64n]) {
        assert.throws(() => current.memory(offset), { name: 'RangeError', message: /offset/ })
      }
    })
  })

  test('its bytes given away are no harm', async () => {
    // Small Buffers share memory, which Node.js transfers to nobody.
    const unpooled = 'x'.repeat(Buffer.poolSize)
    const { output } = await ask((current, [input]) => {
      const { buffer } = current.memory(input.v.i64)
      structuredClone(buffer, { transfer: [buffer] })
    }, unpooled, 'through')
    assert.equal(output.length, unpooled.length)
  })
})

describe('CurrentPlugin.memoryAlloc(n), memoryFree(offset), memoryLength(offset)', () => {
  test('memoryAlloc makes a block of that length', async () => {
    const { output } = await ask((current, inputs, outputs) => {
      const offset = current.memoryAlloc(10)
      assert.equal(typeof offset, 'number')
      assert.equal(current.memoryLength(offset), 10)
      assert.equal(current.memory(offset).length, 10)
      assert.notEqual(offset, inputs[0].v.i64)
      current.memory(offset).fill('z')
      outputs[0].v.i64 = offset
    })
    assert.equal(output.toString(), 'zzzzzzzzzz')
  })

  test('blocks do not overlap', async () => {
    await ask((current, [input]) => {
      const blocks = Array.from({ length: 50 }, (_, i) => current.memory(current.memoryAlloc(100 + i)).fill(i))
      blocks.forEach((block, i) => assert.ok(block.equals(Buffer.alloc(100 + i, i))))
      assert.equal(current.inputString(input), 'input')
    })
  })

  test('memoryLength is the length of a block, and 0 where there is none', async () => {
    await ask((current, [input]) => {
      assert.equal(current.memoryLength(input.v.i64), 5)
      for (const offset of [0, 1, input.v.i64 + 1, 1e9, Number.MAX_SAFE_INTEGER]) assert.equal(current.memoryLength(offset), 0)
    })
  })

  test('memoryFree gives a block back', async () => {
    await ask((current, [input]) => {
      const offset = current.memoryAlloc(1000)
      current.memoryFree(offset)
      assert.equal(current.memoryLength(offset), 0)
      assert.equal(current.memory(offset).length, 0)
      current.memoryFree(offset)
      current.memoryFree(input.v.i64)
      assert.equal(current.memoryLength(input.v.i64), 0)
      assert.equal(current.memory(input.v.i64).length, 0)
    })
  })

  test('memoryFree ignores what is no block', async () => {
    const { output } = await ask((current, [input]) => {
      for (const offset of [0, 1, 64, input.v.i64 - 1, input.v.i64 + 1, 1e9, Number.MAX_SAFE_INTEGER]) current.memoryFree(offset)
    }, 'input', 'through')
    assert.equal(output.toString(), 'input')
  })

  test('a block in the place of a freed one has its own content', async () => {
    const { output } = await ask((current, inputs, outputs) => {
      const offset = inputs[0].v.i64
      assert.equal(current.memory(offset).toString(), 'input')
      current.memoryFree(offset)
      current.returnString(outputs[0], 'fresh')
      assert.equal(current.memory(outputs[0].v.i64).toString(), 'fresh')
      assert.equal(current.inputString(outputs[0]), 'fresh')
    })
    assert.equal(output.toString(), 'fresh')
  })

  test('bad arguments are refused by name', async () => {
    await ask(current => {
      for (const bad of ['5', undefined, {}]) {
        assert.throws(() => current.memoryAlloc(bad), { name: 'TypeError', message: /^n must be/ })
        assert.throws(() => current.memoryFree(bad), { name: 'TypeError', message: /^offset must be/ })
        assert.throws(() => current.memoryLength(bad), { name: 'TypeError', message: /^offset must be/ })
      }
      assert.throws(() => current.memoryAlloc(-1), { name: 'RangeError', message: /^n must be/ })
    })
  })
})

describe('CurrentPlugin.returnString, returnBytes, inputBytes, inputString', () => {
  test('inputString is the text of a block', async () => {
    const { returned } = await ask((current, [input]) => current.inputString(input), 'I 💜 Extism')
    assert.equal(returned, 'I 💜 Extism')
  })

  test('inputBytes is a Buffer of the block, of its own', async () => {
    const { output } = await ask((current, [input]) => {
      const bytes = current.inputBytes(input)
      assert.ok(Buffer.isBuffer(bytes))
      assert.equal(bytes.toString(), 'input')
      bytes.fill(0)
      assert.equal(current.inputString(input), 'input')
    }, 'input', 'through')
    assert.equal(output.toString(), 'input')
  })

  test('returnString makes the output a block with the text', async () => {
    const { output } = await ask((current, inputs, outputs) => {
      current.returnString(outputs[0], '😍')
      assert.equal(current.memoryLength(outputs[0].v.i64), 4)
    })
    assert.equal(output.toString(), '😍')
  })

  test('returnBytes makes the output a block with the bytes of any view', async () => {
    const bytes = Uint8Array.from([0, 0xff, 0xc3, 0x28])
    for (const value of [bytes, Buffer.from(bytes), bytes.buffer, new DataView(bytes.buffer)]) {
      const { output } = await ask((current, inputs, outputs) => current.returnBytes(outputs[0], value))
      assert.deepEqual(output, Buffer.from(bytes))
    }
  })

  test('nothing to return is an empty output', async () => {
    for (const give of [(current, output) => current.returnString(output, ''), (current, output) => current.returnBytes(output, Buffer.alloc(0))]) {
      const { output } = await ask((current, inputs, outputs) => give(current, outputs[0]))
      assert.equal(output.length, 0)
    }
  })

  test('a large value arrives whole', async () => {
    const large = Buffer.alloc(3 << 20, 'abcdefg')
    const { output } = await ask((current, inputs, outputs) => current.returnBytes(outputs[0], large))
    assert.ok(output.equals(large))
  })

  test('bad arguments are refused by name', async () => {
    await ask((current, inputs, outputs) => {
      assert.throws(() => current.returnString(outputs[0], 5), { name: 'TypeError', message: /text must be a string; got 5/ })
      assert.throws(() => current.returnBytes(outputs[0], 'text'), { name: 'TypeError', message: /bytes must be bytes; got "text"/ })
    })
  })
})
