import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createPlugin } from '../../index.js'
import { guest, prints, run } from '../helpers.js'
import { CODE } from '../modern/making.js'

const WASI = JSON.stringify(new URL('wasi.js', import.meta.url))

/** Runs a script for a plugin of each API that may use WASI, in a process with a secret. */
function withSecrets (script, lines) {
  return prints(`
    const { WASI_GUEST, RESULT, ask } = await import(${WASI})
    process.argv.push('--secret')
    for (const plugin of [new Plugin(WASI_GUEST, true), await createPlugin(WASI_GUEST, { useWasi: true })]) {
      ${script}
      await plugin.close()
    }`, [...lines, ...lines], { env: { SECRET: 'secret' } })
}

describe('of the process, a plugin has', () => {
  for (const what of ['environ', 'args']) {
    test(`no ${what}`, () => withSecrets(`
      const { code, result, bytes } = await ask(plugin, '${what}_sizes_get', [RESULT, RESULT + 8])
      console.log(code, result, bytes.readInt32LE(RESULT + 8))
      const got = await ask(plugin, '${what}_get', [RESULT, RESULT + 8])
      console.log(got.code, got.bytes.subarray(RESULT).every(byte => byte === 0))`, ['0 0 0', '0 true']))
  }

  test('no standard input: it is at its end, whatever the process can read there', () => withSecrets(`
    const { code, result } = await ask(plugin, 'fd_read', [0, 1024, 1, RESULT])
    console.log(code, result)`, ['0 0']))

  test('no files and no directories without allowedPaths', () => withSecrets(`
    for (const fd of [3, 4, 5, 10, 20, 100]) {
      const answers = []
      for (const [name, args] of [['fd_prestat_get', [fd, RESULT]], ['fd_fdstat_get', [fd, RESULT]], ['fd_read', [fd, 1024, 1, RESULT]], ['fd_readdir', [fd, RESULT, 100, 0, RESULT + 200]], ['path_open', [fd, 1, 'file', 0, 2, 0, 0, RESULT]]]) answers.push((await ask(plugin, name, args)).code)
      console.log(String(answers))
    }`, Array(6).fill('8,8,8,8,8')))

  test('no sockets', () => withSecrets(`
    for (let fd = 0; fd < 30; fd++) {
      const calls = { sock_accept: [fd, 0, RESULT], sock_recv: [fd, 1024, 1, 0, RESULT, RESULT + 8], sock_send: [fd, 1024, 1, 0, RESULT], sock_shutdown: [fd, 3] }
      for (const [name, args] of Object.entries(calls)) assert.ok((await ask(plugin, name, args)).code > 0, name + fd)
    }
    console.log('none')`, ['none']))
})

describe('of another plugin, a plugin has', () => {
  const secretive = config => createPlugin(CODE, { functions: { 'extism:host/user': { answer: () => 0n } }, config })

  test('no config, and no variables, also where the code is the same', async () => {
    const [one, other] = [await secretive({ password: 'secret' }), await secretive({})]
    await one.call('set', 'secret')
    assert.equal((await one.call('config', 'password')).text(), 'secret')
    assert.equal((await one.call('get')).text(), 'secret')
    assert.equal(await other.call('config', 'password'), null)
    assert.equal(await other.call('get'), null)
    await Promise.all([one.close(), other.close()])
  })

  test('no memory, of its own or its blocks, at any address', async () => {
    const code = guest(`
      (func (export "keep") (local $i i32)
        (loop $next
          (i32.store8 (local.get $i) (call $input_load_u8 (i64.extend_i32_u (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $i) (i32.wrap_i64 (call $input_length))))))
      (func (export "look") (local $i i64)
        (loop $next
          (if (i64.eq (call $load_u64 (local.get $i)) (i64.const 0x5345435245545f5f)) (then (call $give (call $input)) (return)))
          (local.set $i (i64.add (local.get $i) (i64.const 8)))
          (br_if $next (i64.lt_u (local.get $i) (i64.const 0x40000)))))
      (func (export "scan") (local $i i32)
        (loop $next
          (if (i64.eq (i64.load (local.get $i)) (i64.const 0x5345435245545f5f)) (then unreachable))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $i) (i32.const 65528)))))`)
    const [one, other] = await Promise.all([createPlugin(code), createPlugin(code)])
    const secret = '__TERCES'.repeat(8000)
    await one.call('keep', secret)
    await assert.rejects(one.call('scan'), { code: 'ERR_EXTISM_TRAP' })
    await one.call('keep', secret)
    for (let i = 0; i < 3; i++) {
      assert.equal(await other.call('look', 'x'), null)
      assert.equal(await other.call('scan'), null)
    }
    await Promise.all([one.close(), other.close()])
  })

  test('no memory that was of a plugin before it, or of a call before it', async () => {
    const code = guest(`
      (func (export "leave") (memory.fill (i32.const 0) (i32.const 0x53) (i32.const 65536)) (drop (call $input)))
      (func (export "find") (local $i i32)
        (local.set $i (i32.const 65535))
        (loop $next
          (if (i32.load8_u (local.get $i)) (then unreachable))
          (br_if $next (local.tee $i (i32.sub (local.get $i) (i32.const 1))))))
      (func (export "fresh") (local $block i64)
        (local.set $block (call $alloc (i64.const 100000)))
        (call $give (local.get $block)))
      (func (export "trap") unreachable)`)
    for (let i = 0; i < 5; i++) {
      const [one, other] = [await createPlugin(code), await createPlugin(code)]
      await one.call('leave', 'S'.repeat(200_000))
      assert.equal((await one.call('fresh')).text().replaceAll('\0', ''), '')
      await assert.rejects(one.call('trap'), { code: 'ERR_EXTISM_TRAP' })
      await one.call('find')
      await one.call('leave')
      await one.close()
      await other.call('find')
      await other.close()
    }
  })
})

describe('the environment of the process', () => {
  test('makes the runtime neither write files nor print anything', async t => {
    const directory = mkdtempSync(path.join(tmpdir(), 'extism-napi-environment-'))
    t.after(() => rmSync(directory, { recursive: true, force: true }))
    const env = {
      EXTISM_DEBUG: '1',
      EXTISM_COREDUMP: path.join(directory, 'core'),
      EXTISM_MEMDUMP: path.join(directory, 'memory'),
      EXTISM_PROFILE: 'perf',
      EXTISM_CACHE_CONFIG: path.join(directory, 'cache.toml'),
      WASMTIME_LOG: 'trace',
      RUST_LOG: 'trace'
    }
    const { code, signal, stdout, stderr } = await run(`
      process.chdir(${JSON.stringify(directory)})
      for (const plugin of [new Plugin(pluginBytes('modern.wat'), true, [], undefined, null, { cache: false }), await createPlugin(pluginBytes('modern.wat'), { useWasi: true, cache: false })]) {
        assert.equal(String((await plugin.call('echo', 'x')).byteLength), '1')
        await assert.rejects(plugin.call('trap'), { code: 'ERR_EXTISM_TRAP' })
        assert.throws(() => plugin.callSync('trap'), { code: 'ERR_EXTISM_TRAP' })
        await plugin.close()
      }`, { env })
    assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: '', stderr: '' })
    assert.deepEqual(readdirSync(directory), [])
  })

  test('alone decides whether a plugin of 2023 prints', async () => {
    const print = `
      const { WASI_GUEST, RESULT, ask } = await import(${WASI})
      const plugin = new Plugin(WASI_GUEST, true)
      for (const fd of [1, 2]) assert.equal((await ask(plugin, 'fd_write', [fd, 1024, 1, RESULT], Buffer.from('said'))).code, 0)
      await plugin.close()`
    for (const [value, said] of [['1', 'said'], ['', '']]) {
      const { code, stdout, stderr } = await run(print, { env: { EXTISM_ENABLE_WASI_OUTPUT: value } })
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: said, stderr: said })
    }
  })
})
