import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Plugin } from '../index.js'
import { age, codeFiles, written } from './faults/cached.js'
import { pluginBytes, prints } from './helpers.js'

/** A directory that is gone after the test. */
function directory (t) {
  const made = mkdtempSync(path.join(tmpdir(), 'extism-napi-cache-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

const CALL = `
  const plugin = await Plugin.create(pluginBytes('modern.wat'), false, [], undefined, null, options)
  console.log(String(await plugin.call('echo', 'called')))
  await plugin.close()`
const callIn = (cache, env) => prints(`const options = ${JSON.stringify({ cache })}; ${CALL}`, 'called', { env })

describe('compiled code', () => {
  test('is kept in the directory of the option, and used by the next process', async t => {
    const cache = directory(t)
    await callIn(cache)
    const files = written(cache)
    assert.equal(files.length, 1)
    age(codeFiles(cache), 2)
    await callIn(cache)
    assert.deepEqual(written(cache), files)
    // A process that uses it says so in its time.
    assert.ok(Date.now() - statSync(codeFiles(cache)[0]).mtimeMs < 60_000)
  })

  test("is kept in the user's cache directory by default, which is made for the user alone", async t => {
    const home = directory(t)
    await callIn(undefined, { XDG_CACHE_HOME: home })
    const [name] = readdirSync(home)
    assert.equal(name, 'extism-napi')
    assert.equal(statSync(path.join(home, name)).mode & 0o077, 0)
    assert.equal(written(path.join(home, name)).length, 1)
  })

  test('is kept nowhere if the option says so', async t => {
    const home = directory(t)
    await callIn(false, { XDG_CACHE_HOME: home, HOME: home })
    assert.deepEqual(readdirSync(home), [])
  })

  test('is not read from, nor written to, a directory that others may write to', async t => {
    const cache = directory(t)
    chmodSync(cache, 0o777)
    await callIn(cache)
    assert.deepEqual(written(cache), [])
  })
})

describe('a cache that cannot be used is no error', () => {
  test('where there is a file in place of its directory', async t => {
    const file = path.join(directory(t), 'file')
    writeFileSync(file, '')
    await callIn(file)
    await callIn(path.join(file, 'below'))
  })

  test('where the home directory does not exist, or is a file', async t => {
    const home = path.join(directory(t), 'file')
    writeFileSync(home, '')
    for (const HOME of [home, '/dev/null', '']) await callIn(undefined, { HOME, XDG_CACHE_HOME: '' })
  })

  test('where it is removed while plugins are made', async t => {
    const cache = path.join(directory(t), 'cache')
    for (let i = 0; i < 3; i++) {
      const plugin = await Plugin.create(pluginBytes('modern.wat'), false, [], undefined, null, { cache })
      assert.equal(String(await plugin.call('echo', 'called')), 'called')
      await plugin.close()
      rmSync(cache, { recursive: true, force: true })
      if (i === 1) mkdirSync(cache)
    }
  })
})
