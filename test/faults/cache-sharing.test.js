import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { prints } from '../helpers.js'
import { directory } from '../modern/making.js'
import { age, assertWhole, callWith, codeFiles, written } from './cached.js'

describe('a cache serves several processes at once', () => {
  test('that find it empty', async t => {
    const cache = directory(t)
    await Promise.all(Array.from({ length: 4 }, () => callWith(cache)))
    await assertWhole(cache)
  })

  test('that find it damaged', async t => {
    const cache = directory(t)
    for (let i = 0; i < 3; i++) {
      await callWith(cache)
      for (const file of codeFiles(cache)) truncateSync(file, 1000)
      await Promise.all(Array.from({ length: 4 }, () => callWith(cache)))
    }
    await assertWhole(cache)
  })

  test('while it is removed again and again', async t => {
    const cache = directory(t)
    let busy = true
    const calls = Promise.all(Array.from({ length: 4 }, () => callWith(cache))).finally(() => { busy = false })
    while (busy) {
      // Where a process is faster, the next round has it.
      for (const name of readdirSync(cache)) await rm(path.join(cache, name)).catch(() => {})
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
    const cache = path.join(directory(t), 'cache')
    await callWith(cache, { before: 'process.umask(0)' })
    assert.equal(statSync(cache).mode & 0o777, 0o700)
    assert.deepEqual(codeFiles(cache).map(file => statSync(file).mode & 0o777), [0o600])
  })

  test('and may have any name', async t => {
    const cache = path.join(directory(t), 'a "b" \\c \n #é\u007f')
    await callWith(cache)
    await assertWhole(cache)
  })
})

describe('a cache has one file for each module', () => {
  test('with fuel, and one without, whatever else differs', async t => {
    const cache = directory(t)
    await prints(`
      const other = guest('(func (export "echo") (call $give (call $input)))')
      const modern = pluginBytes('modern.wat')
      const stack = maxStackBytes => ({ memory: { maxStackBytes } })
      for (const [code, options] of [[modern, {}], [modern, { timeoutMs: 1e6, instances: 2 }], [modern, { fuel: 1e9 }], [modern, { fuel: 1e8 }], [modern, stack(2 << 20)], [modern, stack(4 << 20)], [other, {}]]) {
        const plugin = await createPlugin(code, { cache: ${JSON.stringify(cache)}, ...options })
        console.log((await plugin.call('echo', 'called')).text())
        await plugin.close()
      }`, Array(7).fill('called'))
    assert.equal(codeFiles(cache).length, 3)
    assert.equal(readdirSync(cache).length, 3)
  })

  test('of those of a manifest as well, whoever links them', async t => {
    const cache = directory(t)
    const link = main => prints(`
      const library = { name: 'library', data: wat('(module (func (export "f")))') }
      const main = name => ({ name: 'main', data: wat('(module (import "library" "f" (func $f)) (func (export "' + name + '") (call $f)))') })
      const plugin = await createPlugin({ wasm: [library, main('${main}')] }, { cache: ${JSON.stringify(cache)} })
      console.log(await plugin.call('${main}'))
      await plugin.close()`, 'null')
    await link('one')
    const [before, count] = [written(cache), codeFiles(cache).length]
    assert.equal(count, 2)
    await link('two')
    assert.equal(codeFiles(cache).length, 3)
    assert.ok(before.every(file => written(cache).includes(file)))
  })
})

describe('a cache is swept', () => {
  const code = (cache, letter) => path.join(cache, `${letter.repeat(64)}.cwasm`)

  /** Makes a plugin with a cache, in a process that goes on until `gone` is no longer there. */
  const sweeping = (cache, gone) => prints(`
    const { existsSync } = await import('node:fs')
    const plugin = await Plugin.create(pluginBytes('modern.wat'), false, [], undefined, null, { cache: ${JSON.stringify(cache)} })
    const start = Date.now()
    while (existsSync(${JSON.stringify(gone)}) && Date.now() - start < 20_000) await new Promise(resolve => setTimeout(resolve, 10))
    console.log(String(await plugin.call('echo', 'called')))
    await plugin.close()`, 'called')

  test('of code that was not used for a month, and of nothing else', async t => {
    const cache = directory(t)
    const [old, recent, others] = [code(cache, 'a'), code(cache, 'b'), [path.join(cache, "the user's"), path.join(cache, 'a.cwasm')]]
    for (const file of [old, recent, ...others]) writeFileSync(file, 'x')
    age([old], 31)
    age([recent], 29)
    age(others, 10_000)
    await sweeping(cache, old)
    assert.equal(existsSync(old), false)
    for (const file of [recent, ...others]) assert.ok(existsSync(file), file)
    assert.equal(readdirSync(cache).length, 4)
  })

  test('of the code that was of use the longest ago, where all of it is more than 1 GiB', async t => {
    const cache = directory(t)
    for (const [letter, days] of [['a', 3], ['b', 5], ['c', 1]]) {
      const file = code(cache, letter)
      writeFileSync(file, '')
      truncateSync(file, 400 << 20)
      age([file], days)
    }
    await sweeping(cache, code(cache, 'b'))
    assert.deepEqual(['a', 'b', 'c'].map(letter => existsSync(code(cache, letter))), [true, false, true])
  })

  test('of what a process left that died while it wrote, once that is an hour old', async t => {
    const cache = directory(t)
    const [dead, alive] = ['a', 'b'].map(letter => path.join(cache, `${letter.repeat(64)}.${'0'.repeat(16)}.draft`))
    for (const file of [dead, alive]) writeFileSync(file, 'x')
    age([dead], 0.1)
    await sweeping(cache, dead)
    assert.deepEqual([existsSync(dead), existsSync(alive)], [false, true])
  })

  test('of the directories of version 0.1, and of no other directory', async t => {
    const cache = directory(t)
    const [old, others] = [path.join(cache, 'a'.repeat(64)), ['b'.repeat(64), 'settings'].map(name => path.join(cache, name))]
    for (const place of [old, ...others]) mkdirSync(path.join(place, 'code'), { recursive: true })
    for (const place of [old, others[1]]) writeFileSync(path.join(place, 'settings.toml'), '')
    await sweeping(cache, old)
    assert.equal(existsSync(old), false)
    for (const place of others) assert.ok(existsSync(place))
  })
})
