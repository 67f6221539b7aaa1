import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { directory } from '../modern/making.js'
import { prints } from '../helpers.js'
import { assertWhole, callWith, codeFiles, digest, written } from './cached.js'

/** A cache that was used once, and the file in it. */
async function used (t) {
  const cache = directory(t)
  await callWith(cache)
  const files = codeFiles(cache)
  assert.equal(files.length, 1)
  return [cache, files[0]]
}

/** Flips so many bits of a file, at places that differ from seed to seed. */
function flip (file, count, seed) {
  const bytes = readFileSync(file)
  for (let i = 0; i < count; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    const bit = Math.floor(seed / 2 ** 32 * bytes.length * 8)
    bytes[bit >> 3] ^= 1 << (bit & 7)
  }
  writeFileSync(file, bytes)
}

describe('compiled code of which bits have flipped is never run: a plugin is compiled anew', () => {
  test('wherever they are', async t => {
    const [cache, file] = await used(t)
    for (let seed = 100; seed < 110; seed++) {
      const before = written(cache)
      flip(file, 1 + seed % 3, seed)
      await callWith(cache)
      assert.notDeepEqual(written(cache), before)
    }
    await assertWhole(cache)
  })

  test('in the digest, at the beginning of the code, and at its end', async t => {
    const [cache, file] = await used(t)
    const whole = readFileSync(file)
    for (const place of [0, 31, 32, 33, whole.length - 1]) {
      const damaged = Buffer.from(whole)
      damaged[place] ^= 1
      writeFileSync(file, damaged)
      const before = written(cache)
      await callWith(cache)
      assert.notDeepEqual(written(cache), before)
      assert.deepEqual(readFileSync(file).length, whole.length)
    }
    await assertWhole(cache)
  })

  test('by several instances and plugins at once', async t => {
    const [cache, file] = await used(t)
    flip(file, 3, 7)
    await callWith(cache, { before: `
      const options = { instances: 4, cache: ${JSON.stringify(cache)} }
      const plugins = Array.from({ length: 3 }, () => new Plugin(pluginBytes('modern.wat'), false, [], undefined, null, options))
      const calls = plugins.flatMap(plugin => Array.from({ length: 8 }, (_, i) => plugin.call('echo', String(i))))
      assert.equal((await Promise.all(calls)).join(''), '01234567'.repeat(3))
      await Promise.all(plugins.map(plugin => plugin.close()))` })
    await assertWhole(cache)
  })
})

test('compiled code is run for the module that it was compiled of, and for no other', async t => {
  const caches = [directory(t), directory(t)]
  const [one, two] = caches
  const say = (text, cache, output) => prints(`
    const code = guest('(data (i32.const 0) "${text}") (func (export "run") (call $give (call $put (i32.const 0) (i32.const 3))))')
    const plugin = await createPlugin(code, { cache: ${JSON.stringify(cache)} })
    console.log((await plugin.call('run')).text())
    await plugin.close()`, output)
  await say('one', one, 'one')
  await say('two', two, 'two')
  const [[oneFile], [twoFile]] = caches.map(codeFiles)
  const code = readFileSync(twoFile).subarray(32)
  writeFileSync(oneFile, readFileSync(twoFile))
  await say('one', one, 'one')
  assert.notDeepEqual(readFileSync(oneFile).subarray(32), code)
  // Only somebody who may write to the cache can make it fit.
  writeFileSync(oneFile, Buffer.concat([digest(oneFile, code), code]))
  await say('one', one, 'two')
})

describe('a cache is whole again after a call where', () => {
  const DAMAGES = {
    'its file is cut': file => truncateSync(file, 1000),
    'its file is cut within the digest': file => truncateSync(file, 20),
    'its file is empty': file => truncateSync(file, 0),
    'its file has more at its end': file => appendFileSync(file, 'x'),
    'its file is of a size that nothing has': file => truncateSync(file, 2 ** 40),
    'its file is gone': file => rmSync(file),
    'there is a directory in place of its file': file => {
      rmSync(file)
      mkdirSync(path.join(file, 'below'), { recursive: true })
    },
    'there is a pipe in place of its file': file => {
      rmSync(file)
      execFileSync('mkfifo', [file])
    },
    'there is a link to nowhere in place of its file': file => {
      rmSync(file)
      symlinkSync('nowhere', file)
    },
    'there is a link to itself in place of its file': file => {
      rmSync(file)
      symlinkSync(path.basename(file), file)
    },
    'there is a link to a device in place of its file': file => {
      rmSync(file)
      symlinkSync('/dev/zero', file)
    }
  }
  for (const [name, damage] of Object.entries(DAMAGES)) {
    test(name, async t => {
      const [cache, file] = await used(t)
      damage(file)
      await callWith(cache)
      await assertWhole(cache)
    })
  }

  test('its file is a link to the code in another place, which stays as it is', async t => {
    const [cache, file] = await used(t)
    const elsewhere = path.join(directory(t), 'elsewhere')
    cpSync(file, elsewhere)
    const content = readFileSync(elsewhere)
    rmSync(file)
    symlinkSync(elsewhere, file)
    await callWith(cache)
    assert.deepEqual(readFileSync(elsewhere), content)
    await assertWhole(cache)
  })

  test('it is a copy of another, with what else is in there', async t => {
    const [cache] = await used(t)
    const copy = directory(t)
    cpSync(cache, copy, { recursive: true })
    writeFileSync(path.join(copy, 'other'), 'kept')
    mkdirSync(path.join(copy, 'modules'))
    const names = readdirSync(copy).sort()
    await callWith(copy)
    assert.deepEqual(readdirSync(copy).sort(), names)
    await assertWhole(copy)
  })
})
