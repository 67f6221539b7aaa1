import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { HostFunction, Plugin } from '../index.js'
import { guest } from './helpers.js'

const code = text => guest(`(data (i32.const 0) "${text}") (func (export "run") (call $hear) (call $give (call $put (i32.const 0) (i32.const 4))))`, {
  user: '(import USER "hear" (func $hear))'
})

describe('what Plugin.create was given holds as it was then', () => {
  const hear = () => new HostFunction('hear', [], [], () => {})

  test('bytes, which the hash is checked of', async () => {
    const good = code('good')
    const hash = createHash('sha256').update(good).digest('hex')
    const created = Plugin.create({ wasm: [{ data: good, hash }] }, false, [hear()])
    code('evil').copy(good)
    assert.equal(String(await (await created).call('run')), 'good')
  })

  test('the manifest and the functions', async () => {
    const manifest = { wasm: [{ data: code('good') }] }
    const functions = [hear()]
    const created = Plugin.create(manifest, false, functions)
    manifest.wasm[0].data = Buffer.from('(module)')
    manifest.wasm.length = 0
    functions.push('no function')
    assert.equal(String(await (await created).call('run')), 'good')
  })
})
