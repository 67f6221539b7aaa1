// A cache of compiled code, seen from outside.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { prints } from '../helpers.js'

export const LIST = 'SHA256SUMS'

/** Calls a plugin with this cache in a process of its own. */
export function callWith (cache, { before = '', env } = {}) {
  return prints(`${before}
    const plugin = await Plugin.create(pluginBytes('modern.wat'), false, [], undefined, null, { cache: ${JSON.stringify(cache)} })
    console.log(String(await plugin.call('echo', 'called')), String(plugin.callSync('echo', 'called')))
    await plugin.close()`, 'called called', { env })
}

/** The directories that plugins have in a cache. */
export function directories (cache) {
  return readdirSync(cache).filter(name => /^[0-9a-f]{64}$/.test(name)).map(name => path.join(cache, name))
}

/** The files with compiled code below a directory, where there may be notes on them, too. */
export function codeFiles (root) {
  return readdirSync(root, { recursive: true })
    .filter(name => /(^|[/\\])modules[/\\][^/\\]+[/\\][^/\\.]+$/.test(name))
    .map(name => path.join(root, name))
    .sort()
}

/** The files with compiled code, and when they were written. */
export function written (root) {
  return codeFiles(root).map(file => `${file} ${statSync(file).mtimeMs}`)
}

/** Asserts that there is code, all of it as the list says, and that a process uses it as it is. */
export async function assertWhole (cache) {
  const [directory, ...others] = directories(cache)
  assert.deepEqual(others, [])
  const list = path.join(directory, LIST)
  const lines = codeFiles(directory).map(file => {
    const name = path.relative(directory, file).replaceAll('\\', '/')
    return `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${name}`
  })
  assert.ok(lines.length > 0)
  assert.deepEqual(readFileSync(list, 'utf8').trim().split('\n').sort(), lines.sort())
  const [code, { mtimeMs }] = [written(cache), statSync(list)]
  await callWith(cache)
  assert.deepEqual(written(cache), code)
  // Its time says when the code was last of use.
  assert.ok(statSync(list).mtimeMs > mtimeMs)
}
