import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { readdirSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { directory } from '../modern/making.js'
import { assertWhole, callWith } from './cached.js'
import { prints } from '../helpers.js'

const CALL = `
  for (const cache of JSON.parse(process.env.CACHES)) {
    const plugin = await Plugin.create(pluginBytes('modern.wat'), false, [], undefined, null, { cache })
    console.log(String(await plugin.call('echo', 'called')), String(plugin.callSync('echo', 'called')))
    await plugin.close()
    const other = await createPlugin(pluginBytes('modern.wat'), { cache })
    console.log((await other.call('echo', 'called')).text())
    await other.close()
  }`

/** Runs a process that makes plugins with these caches and calls them. */
function called (caches, { limit, env } = {}) {
  const lines = caches.flatMap(() => ['called called', 'called'])
  return prints(CALL, lines, { limit, env: { CACHES: JSON.stringify(caches), ...env } })
}

describe('a plugin is made and called where its cache', () => {
  test('is full: the digest fits, and the code does not', async t => {
    const cache = directory(t)
    await called([cache], { limit: '-f 1' })
    assert.deepEqual(readdirSync(cache), [])
    await called([cache])
    await assertWhole(cache)
  })

  test('is a link to another directory', async t => {
    const cache = directory(t)
    const link = path.join(directory(t), 'link')
    symlinkSync(cache, link)
    await callWith(link)
    await assertWhole(cache)
  })

  test('is a link that leads nowhere, in a circle or to a place where there can be none', async t => {
    const place = directory(t)
    for (const target of ['nowhere', 'link', '/proc', '/dev/null']) {
      const link = path.join(place, 'link')
      symlinkSync(target, link)
      await callWith(link)
      rmSync(link)
      rmSync(path.join(place, 'nowhere'), { recursive: true, force: true })
    }
  })

  test('is on a device, or in a place or of a name where there can be none', () =>
    called(['/dev/null', '/dev/full', '/proc/self/none', '/proc', '/proc/none/below', `/${'x'.repeat(300)}`, '/x'.repeat(3000)]))

  test('would be in a home that is not known, or that cannot be written to', () => prints(`
    for (const env of [{}, { HOME: '/proc' }, { HOME: 'relative' }, { HOME: '/dev/full' }, { XDG_CACHE_HOME: 'relative' }, { XDG_CACHE_HOME: '/proc' }]) {
      for (const name of ['HOME', 'XDG_CACHE_HOME']) delete process.env[name]
      Object.assign(process.env, env)
      const plugin = await Plugin.create(pluginBytes('modern.wat'))
      console.log(String(await plugin.call('echo', 'called')))
      await plugin.close()
    }`, Array(6).fill('called')))
})
