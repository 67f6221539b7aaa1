import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { Plugin, createPlugin } from '../../index.js'
import { prints } from '../helpers.js'

test('a manifest whose path has no end, or nobody who writes to it, is refused at once', t => {
  const directory = mkdtempSync(path.join(tmpdir(), 'extism-napi-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const pipe = path.join(directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  return prints(`
    const { pathToFileURL } = await import('node:url')
    for (const path of ['/dev/zero', '/dev/tty0', ${JSON.stringify(pipe)}]) {
      const makers = [
        () => new Plugin({ wasm: [{ path }] }),
        () => Plugin.create({ wasm: [{ path }] }),
        () => createPlugin(path),
        () => createPlugin(pathToFileURL(path)),
        () => createPlugin({ wasm: [{ url: pathToFileURL(path) }] })
      ]
      // More of them than there are threads to read files on.
      const codes = await Promise.all(makers.map(async make => make()).map(made => made.then(() => 'made', ({ code }) => code)))
      console.log(codes.every(code => ['ERR_EXTISM_MANIFEST', 'ENOENT', 'ENXIO', 'EACCES'].includes(code)) || codes)
    }
    const plugin = await createPlugin(pluginPath('modern.wat'))
    console.log((await plugin.call('echo', 'served')).text())`, ['true', 'true', 'true', 'served'])
})

test('a file of more than 256 MiB is refused before it is read', async t => {
  const directory = mkdtempSync(path.join(tmpdir(), 'extism-napi-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = path.join(directory, 'large.wasm')
  writeFileSync(file, '')
  truncateSync(file, (256 << 20) + 1)
  const refused = { name: 'ExtismError', code: 'ERR_EXTISM_MANIFEST', message: /larger than 268435456 bytes/ }
  assert.throws(() => new Plugin({ wasm: [{ path: file }] }), refused)
  for (const make of [() => Plugin.create({ wasm: [{ path: file }] }), () => createPlugin(file)]) await assert.rejects(make, refused)
})
