// A cache of compiled code, seen from outside.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, statSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { prints } from '../helpers.js'

const CODE = /^[0-9a-f]{64}\.cwasm$/
const DAY_MS = 24 * 60 * 60 * 1000

/** Calls a plugin with this cache in a process of its own. */
export function callWith (cache, { before = '', env } = {}) {
  return prints(`${before}
    const plugin = await Plugin.create(pluginBytes('modern.wat'), false, [], undefined, null, { cache: ${JSON.stringify(cache)} })
    console.log(String(await plugin.call('echo', 'called')), String(plugin.callSync('echo', 'called')))
    await plugin.close()`, 'called called', { env })
}

/** The files with compiled code. */
export function codeFiles (cache) {
  return readdirSync(cache).filter(name => CODE.test(name)).sort().map(name => path.join(cache, name))
}

/** The files with compiled code, each with what changes when it is written anew. */
export function written (cache) {
  return codeFiles(cache).map(file => `${file} ${statSync(file, { bigint: true }).ino}`)
}

/** What a file with this name and code begins with. */
export function digest (file, code) {
  return createHash('sha256').update(Buffer.from(path.basename(file, '.cwasm'), 'hex')).update(code).digest()
}

/** Makes files look as if they were last of use so many days ago. */
export function age (files, days) {
  const time = (Date.now() - days * DAY_MS) / 1000
  for (const file of files) utimesSync(file, time, time)
}

/** Asserts that there is one file, its code as it was written, and that a process uses it as it is. */
export async function assertWhole (cache) {
  const [file, ...others] = codeFiles(cache)
  assert.deepEqual(others, [])
  const content = readFileSync(file)
  assert.deepEqual(content.subarray(0, 32), digest(file, content.subarray(32)))
  const before = written(cache)
  age([file], 2)
  await callWith(cache)
  assert.deepEqual(written(cache), before)
  assert.deepEqual(readFileSync(file), content)
  // Its time says when the code was last of use, to the day.
  assert.ok(Date.now() - statSync(file).mtimeMs < DAY_MS)
}
