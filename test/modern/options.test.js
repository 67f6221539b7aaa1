import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Store, createPlugin, memoryGet } from '../../index.js'
import { guest, run } from '../helpers.js'
import { CODE, USER, asking, directory, made, saying, textOf } from './making.js'

const refuses = (options, expected) => assert.rejects(createPlugin(saying('x'), options), expected)

describe('options', () => {
  test('are looked at when createPlugin is called, and are not changed', async () => {
    const options = { config: { key: 'first' }, functions: { [USER]: { answer: () => 0n } } }
    const promise = createPlugin(CODE, options)
    options.config = { key: 'second' }
    const plugin = await promise
    assert.equal(await textOf(plugin.call('config', 'key')), 'first')
    assert.deepEqual(Object.keys(options), ['config', 'functions'])
    await plugin.close()
  })

  test('may be absent, and those that make no difference here may be there', async t => {
    await made(t, saying('x'))
    await made(t, saying('x'), undefined)
    await made(t, saying('x'), { sharedArrayBufferSize: 1 << 10, nodeWorkerArgs: { name: 'x' }, unknown: 5, timeoutMs: null })
  })

  test('of a wrong kind reject with what is wrong', async () => {
    for (const options of [5, 'x']) await refuses(options, { name: 'TypeError' })
    const WRONG = {
      logger: 5, functions: 5, fetch: 5, config: 5, allowedPaths: 5, allowedHosts: 'x', timeoutMs: 'x', instances: 'x', maxQueue: 'x', queueTimeoutMs: 'x', fuel: 'x'
    }
    for (const [name, value] of Object.entries(WRONG)) {
      await refuses({ [name]: value }, error => error instanceof TypeError && new RegExp(name === 'allowedPaths' || name === 'allowedHosts' ? 'allowed' : name).test(error.message))
    }
    await refuses({ config: { key: 5 } }, { name: 'TypeError', message: /config "key"/ })
    await refuses({ allowedPaths: { '/guest': 5 } }, { name: 'TypeError', message: /allowedPaths/ })
    await refuses({ memory: { maxPages: 'x' } }, { name: 'TypeError', message: /memory\.maxPages/ })
    for (const options of [{ timeoutMs: -1 }, { instances: 0 }, { maxQueue: -1 }, { fuel: -1 }, { memory: { maxVarBytes: -1 } }]) {
      await refuses(options, { name: 'RangeError', code: 'ERR_INVALID_ARG_VALUE' })
    }
    await refuses({ logLevel: 'loud' }, { name: 'TypeError', message: 'unrecognized log level "loud"; expected one of "trace", "debug", "info", "warn", "error", "silent"' })
  })

  test('are looked at after the manifest', async () => {
    await assert.rejects(createPlugin({}, { logLevel: 'loud' }), { message: 'Expected "wasm" key in manifest' })
  })
})

describe('config', () => {
  test('is what the plugin reads, by its own keys only', async t => {
    const plugin = await asking(t, undefined, { config: { key: 'välue', empty: '' } })
    assert.equal(await textOf(plugin.call('config', 'key')), 'välue')
    assert.equal(await textOf(plugin.call('config', 'empty')), '')
    for (const absent of ['absent', 'constructor', 'toString']) assert.equal(await plugin.call('config', absent), null)
  })
})

describe('functions', () => {
  const CALLING = guest('(func (export "run") (call $give (call $x (call $input))))', { user: '(import "anywhere" "x" (func $x (param i64) (result i64)))' })

  test('are found by namespace and name, and others are ignored', async t => {
    const plugin = await made(t, CALLING, { functions: { anywhere: { x: (context, address) => address, y: () => 0 }, elsewhere: { x: () => 0n } } })
    assert.equal(await textOf(plugin.call('run', 'back')), 'back')
  })

  test('may take the place of what a plugin has from the host', async t => {
    const functions = { 'extism:host/env': { config_get: context => context.store('mine') }, [USER]: { answer: () => 0n } }
    const plugin = await made(t, CODE, { functions, config: { key: 'theirs' } })
    assert.equal(await textOf(plugin.call('config', 'key')), 'mine')
  })

  test('may be of a store, and read it under the name they have here', async t => {
    const store = new Store([['hello', 'stored']])
    const plugin = await made(t, CALLING, { functions: { anywhere: { x: memoryGet('any', store) } } })
    assert.equal(await textOf(plugin.call('run', 'hello')), 'stored')
    assert.equal(await textOf(plugin.call('run', 'absent')), '')
    assert.equal(plugin.callSync('run', 'hello').text(), 'stored')
  })

  test('that are none are refused by name', async () => {
    await refuses({ functions: { anywhere: { x: 5 } } }, { name: 'TypeError', message: /"anywhere" "x".*function/ })
    await refuses({ functions: { anywhere: 5 } }, { name: 'TypeError', message: /"anywhere"/ })
  })
})

/** Has paths: `where0` and `where1` give the guest's, `read` a file in the first, `write` makes one. */
const FILES = guest(`
  (data (i32.const 512) "filemade")
  (func $where (param $fd i32)
    (if (call $prestat (local.get $fd) (i32.const 0)) (then (return)))
    (drop (call $dir_name (local.get $fd) (i32.const 64) (i32.load (i32.const 4))))
    (call $give (call $put (i32.const 64) (i32.load (i32.const 4)))))
  (func (export "where0") (call $where (i32.const 3)))
  (func (export "where1") (call $where (i32.const 4)))
  (func (export "read")
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 512) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)) (then unreachable))
    (i32.store (i32.const 16) (i32.const 64)) (i32.store (i32.const 20) (i32.const 256))
    (if (call $fd_read (i32.load (i32.const 8)) (i32.const 16) (i32.const 1) (i32.const 24)) (then unreachable))
    (call $give (call $put (i32.const 64) (i32.load (i32.const 24)))))
  (func (export "write")
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 516) (i32.const 4) (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 8)) (then unreachable))
    (i32.store (i32.const 16) (i32.const 512)) (i32.store (i32.const 20) (i32.const 4))
    (if (call $fd_write (i32.load (i32.const 8)) (i32.const 16) (i32.const 1) (i32.const 24)) (then unreachable)))
  (func (export "print")
    (i32.store (i32.const 16) (i32.const 512)) (i32.store (i32.const 20) (i32.const 8))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24))))`, {
  user: `
    (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $dir_name (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))`
})

describe('useWasi and allowedPaths', () => {
  test('without WASI what wants it is refused', async () => {
    await assert.rejects(createPlugin(FILES), { code: 'ERR_EXTISM_LINK', message: /^WASI is not enabled; see the "useWasi" plugin option/ })
  })

  test('paths are those of the guest, and what they are in the host', async t => {
    const host = directory(t)
    writeFileSync(path.join(host, 'file'), 'contents')
    const plugin = await made(t, FILES, { useWasi: true, allowedPaths: { '/guest': host } })
    assert.equal(await textOf(plugin.call('where0')), '/guest')
    assert.equal(await plugin.call('where1'), null)
    assert.equal(await textOf(plugin.call('read')), 'contents')
    await plugin.call('write')
    assert.equal(readFileSync(path.join(host, 'made'), 'utf8'), 'file')
  })

  test('come from the manifest, too, in either spelling', async t => {
    const host = directory(t)
    for (const manifest of [{ allowedPaths: { '/guest': host } }, { allowed_paths: { '/guest': host } }]) {
      const plugin = await made(t, { wasm: [{ data: FILES }], ...manifest }, { useWasi: true })
      assert.equal(await textOf(plugin.call('where0')), '/guest')
    }
  })

  test('ro: before the directory of the host keeps the guest from writing', async t => {
    const host = directory(t)
    writeFileSync(path.join(host, 'file'), 'contents')
    const plugin = await made(t, FILES, { useWasi: true, allowedPaths: { '/guest': `ro:${host}` } })
    assert.equal(await textOf(plugin.call('read')), 'contents')
    await assert.rejects(plugin.call('write'), { code: 'ERR_EXTISM_TRAP' })
    assert.throws(() => readFileSync(path.join(host, 'made')), { code: 'ENOENT' })
  })

  test('one directory may have two paths in the guest', async t => {
    const host = directory(t)
    mkdirSync(path.join(host, 'x'))
    const plugin = await made(t, FILES, { useWasi: true, allowedPaths: { '/a': host, '/b': host } })
    const found = [await textOf(plugin.call('where0')), await textOf(plugin.call('where1'))]
    assert.deepEqual(found.sort(), ['/a', '/b'])
  })

  /** What a process with such a plugin has on its standard output. */
  async function printed (options, environment) {
    const { code, stdout, stderr } = await run(`
      const plugin = await createPlugin(Buffer.from(${JSON.stringify(FILES.toString())}), ${JSON.stringify(options)})
      await plugin.call('print')
      await plugin.close()`, { env: { EXTISM_ENABLE_WASI_OUTPUT: environment } })
    assert.equal(code, 0, stderr)
    return stdout
  }

  test('what a plugin prints goes nowhere, unless the environment has it otherwise', async () => {
    assert.equal(await printed({ useWasi: true }), '')
    assert.equal(await printed({ useWasi: true }, '1'), 'filemade')
  })

  test('enableWasiOutput has the last word on that', async () => {
    assert.equal(await printed({ useWasi: true, enableWasiOutput: true }), 'filemade')
    assert.equal(await printed({ useWasi: true, enableWasiOutput: false }, '1'), '')
  })
})
