import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { prints } from '../helpers.js'
import { directory } from '../modern/making.js'
import { LIST, assertWhole, callWith, codeFiles, directories, written } from './cached.js'

describe('a cache serves several processes at once', () => {
  test('that find it empty', async t => {
    const cache = directory(t)
    await Promise.all(Array.from({ length: 4 }, () => callWith(cache)))
    // One may have removed what another was not through with.
    await callWith(cache)
    await assertWhole(cache)
  })

  test('that find it damaged', async t => {
    const cache = directory(t)
    for (let i = 0; i < 3; i++) {
      await callWith(cache)
      for (const file of codeFiles(cache)) truncateSync(file, 1000)
      await Promise.all(Array.from({ length: 4 }, () => callWith(cache)))
    }
    await callWith(cache)
    await assertWhole(cache)
  })

  test('while it is removed again and again', async t => {
    const cache = directory(t)
    let busy = true
    const calls = Promise.all(Array.from({ length: 4 }, () => callWith(cache))).finally(() => { busy = false })
    while (busy) {
      // Where a process is faster, the next round has it.
      for (const place of directories(cache)) await rm(place, { recursive: true }).catch(() => {})
      await new Promise(resolve => setImmediate(resolve))
    }
    await calls
    await callWith(cache)
    await assertWhole(cache)
  })
})

/** Calls `f` with each file and directory, those above after those below. */
function each (root, f) {
  for (const name of statSync(root).isDirectory() ? readdirSync(root) : []) each(path.join(root, name), f)
  f(root)
}

describe('a cache that can only be read', () => {
  // Root may write anywhere, and so becomes somebody else.
  const isRoot = process.getuid() === 0
  const NOBODY = 65534

  for (const damaged of [false, true]) {
    test(damaged ? 'and is damaged is of no use, and no harm' : 'stays as it is', async t => {
      const cache = directory(t)
      await callWith(cache)
      if (damaged) for (const file of codeFiles(cache)) truncateSync(file, 1000)
      const code = written(cache)
      each(cache, file => {
        if (isRoot) chownSync(file, NOBODY, NOBODY)
        chmodSync(file, statSync(file).isDirectory() ? 0o500 : 0o400)
      })
      const called = callWith(cache, { before: isRoot ? `process.setuid(${NOBODY})` : '' })
      await called.finally(() => each(cache, file => chmodSync(file, 0o700)))
      assert.deepEqual(written(cache), code)
    })
  }
})

describe('a cache is for the user alone', () => {
  test('whatever files are made for otherwise', async t => {
    const cache = directory(t)
    await callWith(cache, { before: 'process.umask(0)' })
    assert.deepEqual(directories(cache).map(place => statSync(place).mode & 0o777), [0o700])
  })

  test('and may have any name', async t => {
    const cache = path.join(directory(t), 'a "b" \\c \n #é\u007f')
    await callWith(cache)
    await assertWhole(cache)
  })
})

describe('plugins share no directory', () => {
  test('where their code differs, or what they count', async t => {
    const cache = directory(t)
    await prints(`
      const other = guest('(func (export "echo") (call $give (call $input)))')
      for (const [code, options] of [[pluginBytes('modern.wat'), {}], [pluginBytes('modern.wat'), { fuel: 1e9 }], [pluginBytes('modern.wat'), { fuel: 1e8 }], [other, {}]]) {
        const plugin = await createPlugin(code, { cache: ${JSON.stringify(cache)}, ...options })
        console.log((await plugin.call('echo', 'called')).text())
        await plugin.close()
      }`, Array(4).fill('called'))
    assert.equal(directories(cache).length, 3)
  })
})

describe('a cache is swept', () => {
  test('of code that was not used for a month, and of nothing else', async t => {
    const cache = directory(t)
    const day = 24 * 60 * 60
    const now = Date.now() / 1000
    const old = path.join(cache, 'a'.repeat(64))
    const recent = path.join(cache, 'b'.repeat(64))
    for (const [place, days] of [[old, 31], [recent, 29]]) {
      mkdirSync(path.join(place, 'code'), { recursive: true })
      writeFileSync(path.join(place, LIST), '')
      utimesSync(path.join(place, LIST), now, now - days * day)
    }
    mkdirSync(path.join(cache, "the user's"))
    utimesSync(path.join(cache, "the user's"), 0, 0)
    await prints(`
      const { existsSync, watch } = await import('node:fs')
      const cache = ${JSON.stringify(cache)}
      const removed = new Promise(resolve => watch(cache, () => { if (!existsSync(${JSON.stringify(old)})) resolve() }).unref())
      const keep = setInterval(() => {}, 1000)
      const plugin = await Plugin.create(pluginBytes('modern.wat'), false, [], undefined, null, { cache })
      await removed
      clearInterval(keep)
      console.log(String(await plugin.call('echo', 'called')))
      await plugin.close()`, 'called')
    assert.equal(readdirSync(cache).length, 3)
    assert.ok(statSync(recent).isDirectory())
  })
})
