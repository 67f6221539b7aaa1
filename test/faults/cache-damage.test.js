import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { directory } from '../modern/making.js'
import { LIST, assertWhole, callWith, codeFiles, directories, written } from './cached.js'

/** A cache that was used once, and the directory of the plugin in it. */
async function used (t) {
  const cache = directory(t)
  await callWith(cache)
  return [cache, directories(cache)[0]]
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
  test('for any of its files', async t => {
    const [cache] = await used(t)
    for (const index of codeFiles(cache).keys()) {
      for (const count of [1, 3]) {
        const before = written(cache)
        flip(codeFiles(cache)[index], count, index * 10 + count)
        await callWith(cache)
        assert.notDeepEqual(written(cache), before)
      }
    }
    await assertWhole(cache)
  })

  test('for all of its files at once, wherever that is', async t => {
    const [cache] = await used(t)
    for (let seed = 100; seed < 110; seed++) {
      for (const [index, file] of codeFiles(cache).entries()) flip(file, 1 + seed % 3, seed * 10 + index)
      await callWith(cache)
    }
    await assertWhole(cache)
  })

  test('by several instances and plugins at once', async t => {
    const [cache] = await used(t)
    for (const file of codeFiles(cache)) flip(file, 3, 7)
    await callWith(cache, { before: `
      const options = { instances: 4, cache: ${JSON.stringify(cache)} }
      const plugins = Array.from({ length: 3 }, () => new Plugin(pluginBytes('modern.wat'), false, [], undefined, null, options))
      const calls = plugins.flatMap(plugin => Array.from({ length: 8 }, (_, i) => plugin.call('echo', String(i))))
      assert.equal((await Promise.all(calls)).join(''), '01234567'.repeat(3))
      await Promise.all(plugins.map(plugin => plugin.close()))` })
    await assertWhole(cache)
  })
})

describe('a cache is whole again after a call where', () => {
  const DAMAGES = {
    'its files are cut': place => { for (const file of codeFiles(place)) truncateSync(file, 100) },
    'its files are empty': place => { for (const file of codeFiles(place)) truncateSync(file, 0) },
    'a file of it is gone': place => rmSync(codeFiles(place)[0]),
    'there is code that is not on its list': place => writeFileSync(path.join(path.dirname(codeFiles(place)[0]), 'other'), 'code'),
    'a process died while it wrote code': place => {
      const [file] = codeFiles(place)
      rmSync(file)
      writeFileSync(`${file}.wip-atomic-write-mod`, 'cod')
    },
    'it has no list': place => rmSync(path.join(place, LIST)),
    'its list is empty': place => truncateSync(path.join(place, LIST), 0),
    'its list is of no format': place => writeFileSync(path.join(place, LIST), Buffer.alloc(1000, 0xff)),
    'its list is damaged': place => flip(path.join(place, LIST), 1, 42),
    'its list is a directory': place => {
      rmSync(path.join(place, LIST))
      mkdirSync(path.join(place, LIST, 'below'), { recursive: true })
    },
    'its code is a file': place => {
      rmSync(path.join(place, 'code'), { recursive: true })
      writeFileSync(path.join(place, 'code'), '')
    },
    'there is a directory in place of code': place => {
      const [file] = codeFiles(place)
      rmSync(file)
      mkdirSync(path.join(file, 'below'), { recursive: true })
    },
    'there is a file in its place': place => {
      rmSync(place, { recursive: true })
      writeFileSync(place, '')
    },
    'its settings are damaged': place => flip(path.join(place, 'settings.toml'), 1, 42),
    'its settings are a directory': place => {
      rmSync(path.join(place, 'settings.toml'))
      mkdirSync(path.join(place, 'settings.toml', 'below'), { recursive: true })
    }
  }
  for (const [name, damage] of Object.entries(DAMAGES)) {
    test(name, async t => {
      const [cache, place] = await used(t)
      damage(place)
      await callWith(cache)
      await assertWhole(cache)
    })
  }

  test('its settings name another directory, where nothing is read or written', async t => {
    const [cache, place] = await used(t)
    const settings = path.join(place, 'settings.toml')
    const elsewhere = path.join(directory(t), 'elsewhere')
    writeFileSync(settings, readFileSync(settings, 'utf8').replace(path.join(place, 'code'), elsewhere))
    await callWith(cache)
    assert.equal(existsSync(elsewhere), false)
    await assertWhole(cache)
  })

  test('it is a copy of another, with what else is in there', async t => {
    const [cache] = await used(t)
    const copy = directory(t)
    cpSync(cache, copy, { recursive: true })
    writeFileSync(path.join(copy, 'other'), 'kept')
    mkdirSync(path.join(copy, 'modules'))
    const code = readdirSync(copy).sort()
    await callWith(copy)
    assert.deepEqual(readdirSync(copy).sort(), code)
    await assertWhole(copy)
  })
})
