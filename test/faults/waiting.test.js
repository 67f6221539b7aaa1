import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { HostFunction, Plugin, createPlugin } from '../../index.js'
import { guest, prints } from '../helpers.js'
import { directory } from '../modern/making.js'

/** What WASI answers. */
const EACCES = 2

const NAMES = ['pipe', 'link', 'null', 'zero', 'full', 'ptmx']

/** `open` opens the file that the input has the number of, to read ("0r") or to write ("0w"). */
const OPENING = guest(`
  (data (i32.const 96) "${NAMES.map(name => name.padEnd(8)).join('')}")
  (func (export "open") (local $block i64)
    (local.set $block (call $input))
    (call $store_u8 (local.get $block) (i32.add (i32.const 48) (call $open
      (i32.const 3) (i32.const 1)
      (i32.add (i32.const 96) (i32.shl (i32.sub (call $load_u8 (local.get $block)) (i32.const 48)) (i32.const 3))) (i32.const 4)
      (i32.const 0)
      (if (result i64) (i32.eq (call $load_u8 (i64.add (local.get $block) (i64.const 1))) (i32.const 114)) (then (i64.const 2)) (else (i64.const 64)))
      (i64.const 0) (i32.const 0) (i32.const 200))))
    (call $give (local.get $block)))`, {
  user: '(import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))'
})

const APIS = {
  Plugin: place => new Plugin({ wasm: [{ data: OPENING }], allowed_paths: { [place]: '/' }, timeout_ms: 10_000 }, true),
  createPlugin: place => createPlugin(OPENING, { useWasi: true, allowedPaths: { '/': place }, timeoutMs: 10_000 })
}

for (const [api, open] of Object.entries(APIS)) {
  test(`a plugin of ${api} that opens a pipe or a device in an allowed directory is refused at once`, async t => {
    const place = directory(t)
    execFileSync('mkfifo', [path.join(place, 'pipe')])
    symlinkSync('pipe', path.join(place, 'link'))
    for (const [where, names] of [[place, ['pipe', 'link']], ['/dev', ['null', 'zero', 'full', 'ptmx']]]) {
      const plugin = await open(where)
      t.after(() => plugin.close())
      for (const name of names) for (const way of ['r', 'w']) {
        for (const method of ['call', 'callSync']) {
          const output = await plugin[method]('open', `${NAMES.indexOf(name)}${way}`)
          const [code] = Buffer.from(output.buffer, output.byteOffset, 1)
          assert.equal(code - 48, EACCES, `${name} ${way}`)
        }
      }
      assert.equal(plugin.stats().replaced, 0)
    }
  })
}

describe('a plugin that sleeps in WASI', () => {
  const CODE = guest(`
    (data (i32.const 24) "\\00\\a0\\b8\\30\\46\\03\\00\\00")
    (data (i32.const 200) "name")
    (func $sleep (call $tell) (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))
    (func (export "sleep") (call $sleep))
    (func (export "ask") (call $tell))
    (func (export "trap") unreachable)
    (func (export "echo") (call $give (call $input)))
    (func (export "set") (call $var_set (call $put (i32.const 200) (i32.const 4)) (call $input)))
    (func (export "get") (call $give (call $var_get (call $put (i32.const 200) (i32.const 4)))))`, {
    user: '(import USER "tell" (func $tell)) (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))'
  })
  const created = async (t, tell = () => {}, options = {}) => {
    const plugin = await createPlugin(CODE, { useWasi: true, sharedVars: false, functions: { 'extism:host/user': { tell } }, ...options })
    t.after(() => plugin.close())
    return plugin
  }

  test('ends with its timeout, and others run meanwhile', async t => {
    const plugin = new Plugin({ wasm: [{ data: CODE }] }, true, [new HostFunction('tell', [], [], () => {})])
    t.after(() => plugin.close())
    const sleeping = () => plugin.call('sleep', '', { timeoutMs: 100 }).catch(({ code }) => code)
    const calls = [sleeping(), plugin.call('echo', 'served'), sleeping(), plugin.call('echo', 'served')]
    assert.deepEqual((await Promise.all(calls)).map(String), ['ERR_EXTISM_TIMEOUT', 'served', 'ERR_EXTISM_TIMEOUT', 'served'])
    const { active, queued, instances, replaced } = plugin.stats()
    assert.deepEqual([active, queued, instances, replaced], [0, 0, 1, 2])
  })

  test('does not keep its plugin from closing, nor an abort from coming through', async t => {
    const controller = new AbortController()
    const plugin = await created(t, () => {
      closing = plugin.close()
      setImmediate(() => controller.abort())
    })
    let closing
    await assert.rejects(plugin.call('sleep', '', null, { signal: controller.signal }), { name: 'AbortError' })
    await closing
  })

  test('hands its variables on to the instance that takes its place, also where host functions kept them', async t => {
    let context
    const plugin = await created(t, each => { context = each })
    await plugin.call('set', 'kept')
    await plugin.call('ask')
    await assert.rejects(plugin.call('sleep', '', null, { timeoutMs: 50 }), { code: 'ERR_EXTISM_TIMEOUT' })
    assert.deepEqual([context.getVariable('name').text(), (await plugin.call('get')).text()], ['kept', 'kept'])
    context.setVariable('name', 'changed')
    assert.equal((await plugin.call('get')).text(), 'changed')
  })

  test('takes no thread: 500 do so at once, and are stopped at once', () => prints(`
    const { readdirSync } = await import('node:fs')
    const threads = () => process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0
    const code = Buffer.from(${JSON.stringify(String(CODE))})
    let sleeping = 0
    const [all, ready] = signal()
    const tell = () => { if (++sleeping === 500) ready() }
    const plugin = await createPlugin(code, { useWasi: true, instances: 500, functions: { 'extism:host/user': { tell } } })
    const controller = new AbortController()
    const calls = Array.from({ length: 500 }, () => plugin.call('sleep', '', null, { signal: controller.signal }).catch(({ code }) => code))
    await all
    console.log(threads() < 32)
    controller.abort()
    console.log([...new Set(await Promise.all(calls))].join())
    console.log((await plugin.call('echo', 'served')).text())
    await plugin.close()`, ['true', 'ABORT_ERR', 'served']))
})

test('variables outlive an instance that cannot be replaced, until one can', async t => {
  const place = path.join(directory(t), 'allowed')
  mkdirSync(place)
  const code = guest(`
    (data (i32.const 200) "name")
    (func (export "trap") unreachable)
    (func (export "set") (call $var_set (call $put (i32.const 200) (i32.const 4)) (call $input)))
    (func (export "get") (call $give (call $var_get (call $put (i32.const 200) (i32.const 4)))))`, {
    user: '(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))'
  })
  const plugin = await createPlugin(code, { useWasi: true, sharedVars: false, allowedPaths: { '/': place } })
  t.after(() => plugin.close())
  await plugin.call('set', 'kept')
  renameSync(place, `${place}-gone`)
  await assert.rejects(plugin.call('trap'), { code: 'ERR_EXTISM_TRAP' })
  for (let i = 0; i < 2; i++) await assert.rejects(plugin.call('get'), { code: 'ERR_EXTISM_INSTANCE' })
  renameSync(`${place}-gone`, place)
  assert.equal((await plugin.call('get')).text(), 'kept')
})
