import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Store, createPlugin, memoryGet } from '../../index.js'
import { guest } from '../helpers.js'
import { CODE, USER, asking, made, said, saying, textOf } from './making.js'

const OPTIONS = [
  'useWasi', 'runInWorker', 'logger', 'logLevel', 'functions', 'allowedPaths', 'allowedHosts', 'memory', 'timeoutMs', 'enableWasiOutput',
  'config', 'fetch', 'sharedArrayBufferSize', 'allowHttpResponseHeaders', 'nodeWorkerArgs',
  'instances', 'maxQueue', 'queueTimeoutMs', 'maxCallDepth', 'maxLogBytes', 'cache', 'compileTimeoutMs', 'maxCompileMemoryBytes', 'fuel', 'sharedVars', 'freshInstance'
]
const MEMORY = ['maxPages', 'maxHttpResponseBytes', 'maxVarBytes', 'maxTotalPages', 'maxTableElements', 'maxOutputBytes', 'maxStackBytes']
const snake = name => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
const all = (names, value) => Object.fromEntries(names.map(name => [name, value]))

const HELLO = saying('hello')

describe('an option of createPlugin that is null or undefined is as if it were not given', () => {
  for (const name of OPTIONS) {
    test(name, async () => {
      for (const nothing of [null, undefined]) assert.equal(await said(HELLO, { [name]: nothing }), 'hello')
    })
  }

  test('all of them together', async () => {
    for (const nothing of [null, undefined]) assert.equal(await said(HELLO, all(OPTIONS, nothing)), 'hello')
  })

  test('the options themselves', async () => {
    for (const nothing of [null, undefined]) assert.equal(await said(HELLO, nothing), 'hello')
  })

  test('each property of memory, in options and in a manifest of either spelling', async () => {
    assert.equal(await said(HELLO, { memory: all(MEMORY, null) }), 'hello')
    for (const names of [MEMORY, MEMORY.map(snake)]) {
      const manifest = { wasm: [{ data: HELLO.toString('base64') }], memory: all(names, null) }
      for (const form of [manifest, JSON.stringify(manifest)]) assert.equal(await said(form), 'hello')
    }
  })

  test('the manifest goes before null, and its own nulls count as nothing', async t => {
    const manifest = { wasm: [{ data: CODE }], config: { key: 'manifest' } }
    const plugin = await asking(t, undefined, {})
    await plugin.update(manifest, { config: null, functions: { [USER]: { answer: () => 0n } } })
    assert.equal(await textOf(plugin.call('config', 'key')), 'manifest')
    const names = ['config', 'allowedHosts', 'allowed_hosts', 'allowedPaths', 'allowed_paths', 'memory', 'timeoutMs', 'timeout_ms']
    assert.equal(await said({ wasm: [{ data: HELLO }], ...all(names, null) }), 'hello')
  })

  test('the properties of an item of manifest.wasm', async () => {
    const item = { path: null, url: null, response: null, module: null, name: null, hash: null, data: HELLO }
    assert.equal(await said({ wasm: [item] }), 'hello')
    assert.equal(await said(JSON.stringify({ wasm: [{ ...item, data: HELLO.toString('base64') }] })), 'hello')
  })

  test('a method of the logger', async t => {
    const plugin = await made(t, guest('(func (export "run") (call $log_info (call $input)))'), { logLevel: 'trace', logger: { info: null } })
    assert.equal(await plugin.call('run', 'x'), null)
  })

  test('options of update: those of before stay', async t => {
    const plugin = await asking(t, undefined, { config: { key: 'before' } })
    await plugin.update(CODE, null)
    assert.equal(await textOf(plugin.call('config', 'key')), 'before')
  })

  test('signal and timeoutMs of a call', async t => {
    const plugin = await asking(t)
    for (const options of [null, { signal: null, timeoutMs: null }, { signal: undefined, timeoutMs: undefined }]) {
      assert.equal(await textOf(plugin.call('echo', 'x', null, options)), 'x')
      assert.equal(plugin.callSync('echo', 'x', null, options).text(), 'x')
    }
  })
})

describe('an entry that is null or undefined is as if it were not there', () => {
  test('in config, as an object or a Map, of options and of a manifest', async t => {
    const functions = { [USER]: { answer: () => 0n } }
    for (const nothing of [null, undefined]) {
      for (const config of [{ absent: nothing, key: 'value' }, new Map([['absent', nothing], ['key', 'value']])]) {
        for (const plugin of [await made(t, CODE, { config, functions }), await made(t, { wasm: [{ data: CODE }], config }, { functions })]) {
          assert.equal(await plugin.call('config', 'absent'), null)
          assert.equal(await textOf(plugin.call('config', 'key')), 'value')
        }
      }
    }
  })

  test('in allowedPaths, of options and of a manifest', async () => {
    for (const nothing of [null, undefined]) {
      assert.equal(await said(HELLO, { useWasi: true, allowedPaths: { '/absent': nothing } }), 'hello')
      assert.equal(await said({ wasm: [{ data: HELLO }], allowed_paths: { '/absent': nothing } }, { useWasi: true }), 'hello')
    }
  })

  test('in functions, be it a namespace or a function', async () => {
    for (const nothing of [null, undefined]) {
      assert.equal(await said(HELLO, { functions: { anywhere: nothing, [USER]: { answer: nothing } } }), 'hello')
      await assert.rejects(createPlugin(CODE, { functions: { [USER]: { answer: nothing } } }), { code: 'ERR_EXTISM_LINK', message: /"answer"/ })
    }
  })

  test('whereas other values are still refused', async () => {
    for (const bad of [5, true, {}, []]) {
      await assert.rejects(createPlugin(HELLO, { config: { x: bad } }), { name: 'TypeError', message: /config "x"/ })
      await assert.rejects(createPlugin(HELLO, { allowedPaths: { '/x': bad } }), { name: 'TypeError', message: /allowedPaths/ })
      await assert.rejects(createPlugin(HELLO, { functions: { [USER]: { x: bad } } }), { name: 'TypeError', message: /"x"/ })
    }
  })
})

test('memoryGet takes null for its options, and for missing', async t => {
  const store = new Store()
  for (const options of [null, { missing: null }, { missing: undefined }]) {
    const plugin = await asking(t, memoryGet('answer', store, options))
    assert.equal(await textOf(plugin.call('ask', 'key')), '')
  }
  for (const bad of [5, 'empty']) assert.throws(() => memoryGet('answer', store, bad), { name: 'TypeError', message: /options/ })
})
