// Makes plugins of manifests, one seed after another, which is on a line of standard output.

import assert from 'node:assert/strict'
import { writeSync } from 'node:fs'
import { Plugin, createPlugin } from '../../index.js'
import { inJavaScript, right, text } from './generate.js'
import { Random } from './random.js'

const [seed, count, seconds] = process.argv.slice(2).map(Number)
const outcomes = {}

/** Nothing leaves this machine. */
const fetch = async () => { throw new TypeError('fetch failed') }

const MAKERS = {
  // A module that is downloaded would be waited for.
  'new Plugin': manifest => new Plugin(manifest),
  'Plugin.create': manifest => Plugin.create(manifest, false, [], null, null, { cache: false }),
  createPlugin: manifest => createPlugin(manifest, { cache: false, fetch })
}

async function attempt (number) {
  const random = new Random(number)
  const [name, make] = random.oneOf(Object.entries(MAKERS))
  const isRight = random.chance(10)
  const manifest = isRight ? right(random) : random.oneOf([text, inJavaScript])(random)
  let plugin
  try {
    // Whoever gives a promise that never settles waits for it.
    if (typeof manifest?.then === 'function') return `${name}: a promise`
    plugin = await make(manifest)
    const exists = await plugin.functionExists('run')
    if (isRight) assert.equal(exists, true)
    // Every one that is right is called; of the others most are the same.
    if (isRight || random.chance(8)) await plugin.call('run', 'input')
    return `${name}: a plugin`
  } catch (error) {
    if (isRight) throw error
    const isOurs = error instanceof TypeError || (error instanceof Error && typeof error.code === 'string')
    assert.ok(isOurs && error.code !== 'ERR_EXTISM_INTERNAL', error)
    return `${name}: ${error.code ?? error.name}`
  } finally {
    await (plugin?.close ? plugin.close() : plugin?.free())
  }
}

const end = performance.now() + seconds * 1_000
const started = performance.now()
let done = 0
while (done < count && performance.now() < end) {
  writeSync(1, `${seed + done}\n`)
  const outcome = await attempt(seed + done)
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  done++
}
assert.ok(done > 0)
const perSecond = Math.round(done / (performance.now() - started) * 1_000)
writeSync(1, JSON.stringify({ seed, manifests: done, perSecond, outcomes }) + '\n')
