import { after, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { assemble } from '../bench/assemble.js'

const ROOT = new URL('..', import.meta.url)
const FOLDER = new URL('examples/modern/', ROOT)

/** What Node prints, as lines. */
async function lines (args, cwd = FOLDER) {
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', ...args], { cwd, timeout: 60_000 })
  return stdout.trimEnd().split('\n')
}

const PRINTED = [
  'exports: memory, report, previous',
  'before any report: null',
  'info: asking for Jena',
  'request 1: Ada asks about Jena',
  'report: Jena: 21 degrees',
  'info: asking for Oslo',
  'request 2: Bo asks about Oslo',
  'report: Oslo: -4 degrees',
  'info: asking for Atlantis',
  'request 3: Cy asks about Atlantis',
  'failed: Plugin-originated error: nobody knows the weather of Atlantis',
  'the last one again: Oslo: -4 degrees',
  'is there a forecast? false'
]

describe('examples/modern', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'extism-napi-example-'))
  after(() => rmSync(folder, { recursive: true }))
  const binary = path.join(folder, 'plugin.wasm')
  writeFileSync(binary, assemble(new URL('plugin.wat', FOLDER)))

  test('runs, from binary and from text', async () => {
    assert.deepEqual(await lines(['app.js']), PRINTED)
    assert.deepEqual(await lines(['app.js', binary]), PRINTED)
  })

  test('prints the same on @extism/extism 2.0.0-rc13', async () => {
    const source = await readFile(new URL('app.js', FOLDER), 'utf8')
    const changed = source.replace('from \'extism-napi\'', 'from \'extism-js-rc\'')
    assert.notEqual(changed, source)
    assert.deepEqual(await lines(['--input-type=module', '-e', changed.replace('process.argv[2]', 'process.argv[1]'), binary]), PRINTED)
  })

  test('a program type-checks with the types of @extism/extism 2.0.0-rc13', async () => {
    const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', ROOT))
    assert.deepEqual(await lines([tsc, '-p', 'test/types/original'], ROOT), [''])
  })
})

test('examples/js-host-function.js runs', async () => {
  assert.deepEqual(await lines(['examples/js-host-function.js'], ROOT), [
    '👋 Hello Jane Doe',
    'key: hello, value: 👋 Hello World 🌍',
    'key: message, value: I 💜 Extism 😍'
  ])
})
