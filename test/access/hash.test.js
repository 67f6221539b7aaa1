import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { Plugin, createPlugin } from '../../index.js'
import { wat } from '../helpers.js'
import { directory, serving } from '../modern/making.js'

const sha256 = data => createHash('sha256').update(data).digest('hex')
const WRONG = 'ab'.repeat(32)

/** Makes a plugin in each way that there is. */
const WAYS = {
  'new Plugin': async wasm => new Plugin({ wasm }),
  'Plugin.create': wasm => Plugin.create({ wasm }),
  createPlugin: wasm => createPlugin({ wasm })
}

const INVALID = { 'no WebAssembly': 'nonsense', nothing: '', 'damaged WebAssembly': '\0asm\x01\0\0\0\x7f\x7f', 'damaged text': '(module (func' }

for (const [way, make] of Object.entries(WAYS)) {
  describe(`a hash, with ${way},`, () => {
    for (const [name, text] of Object.entries(INVALID)) {
      test(`is compared before anybody reads what is ${name}`, async () => {
        const data = wat(text)
        for (const hash of [WRONG, WRONG.toUpperCase()]) await assert.rejects(make([{ data, hash }]), { code: 'ERR_EXTISM_MANIFEST', message: new RegExp(`hash mismatch.*${hash}.*${sha256(data)}`) })
        for (const hash of [sha256(data), sha256(data).toUpperCase()]) await assert.rejects(make([{ data, hash }]), { code: 'ERR_EXTISM_MODULE' })
      })
    }

    test('is compared for each module, before any is read', async () => {
      const [good, bad] = [wat('(module (func (export "run")))'), wat('nonsense')]
      await assert.rejects(make([{ name: 'bad', data: bad }, { name: 'main', data: good, hash: WRONG }]), { code: 'ERR_EXTISM_MANIFEST', message: /hash/ })
      await assert.rejects(make([{ name: 'other', data: good, hash: WRONG }, { name: 'main', data: bad }]), { code: 'ERR_EXTISM_MANIFEST', message: /hash/ })
    })

    test('is that of the whole, in full', async () => {
      const data = wat('(module (func (export "run")))')
      const hash = sha256(data)
      for (const wrong of [hash.slice(1), hash.slice(0, 8), `${hash} `, `0x${hash}`, `sha256:${hash}`, hash + hash, createHash('sha256').update(data).digest('base64'), sha256('')]) {
        await assert.rejects(make([{ data, hash: wrong }]), { code: 'ERR_EXTISM_MANIFEST', message: /hash/ }, wrong)
      }
      await (await make([{ data, hash }])).close()
    })

    test('that is an empty text, null or undefined is not compared', async () => {
      const data = wat('(module (func (export "run")))')
      for (const none of ['', null, undefined]) await (await make([{ data, hash: none }])).close()
    })

    test('is compared with what a file has', async t => {
      const file = path.join(directory(t), 'file')
      writeFileSync(file, 'nonsense')
      await assert.rejects(make([{ path: file, hash: WRONG }]), { code: 'ERR_EXTISM_MANIFEST', message: /hash/ })
      await assert.rejects(make([{ path: file, hash: sha256('nonsense') }]), { code: 'ERR_EXTISM_MODULE' })
    })
  })
}

test('a hash is compared with what a URL has', async t => {
  const url = await serving(t, (request, response) => response.end('nonsense'))
  for (const way of ['Plugin.create', 'createPlugin']) {
    await assert.rejects(WAYS[way]([{ url, hash: WRONG }]), { code: 'ERR_EXTISM_MANIFEST', message: /hash/ })
    await assert.rejects(WAYS[way]([{ url, hash: sha256('nonsense') }]), { code: 'ERR_EXTISM_MODULE' })
  }
})
