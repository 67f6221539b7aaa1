import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

describe('a bundle', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'extism-napi-bundle-'))
  after(() => rmSync(folder, { recursive: true }))

  mkdirSync(path.join(folder, 'node_modules'))
  symlinkSync(ROOT, path.join(folder, 'node_modules/extism-napi'))
  cpSync(path.join(ROOT, 'plugin/simple.wasm'), path.join(folder, 'plugin/simple.wasm'))

  for (const bundler of ['esbuild', 'webpack']) {
    test(`that examples/bundlers/${bundler}.js makes imports the package, and runs`, async () => {
      const bundle = path.join(folder, 'dist', `${bundler}.mjs`)
      const make = path.join(ROOT, 'examples/bundlers', `${bundler}.js`)
      await promisify(execFile)(process.execPath, [make, path.join(ROOT, 'examples/js-host-function.js'), bundle])
      assert.match(readFileSync(bundle, 'utf8'), /from ?["']extism-napi["']/)
      const { stdout } = await promisify(execFile)(process.execPath, [bundle])
      assert.equal(stdout, '👋 Hello Jane Doe\nkey: hello, value: 👋 Hello World 🌍\nkey: message, value: I 💜 Extism 😍\n')
    })
  }
})
