import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin, ValType } from '../../index.js'
import { guest, prints, wat } from '../helpers.js'

const { I64 } = ValType

describe('a call that is stopped before it has begun', () => {
  test('ends with its timeout, however short, and leaves a plugin that serves', () => {
    const plugin = new Plugin(guest('(func (export "spin") (loop $again (br $again))) (func (export "echo") (call $give (call $input)))'))
    for (const timeoutMs of [0.001, 0.01, 0.1, 1]) {
      for (let i = 0; i < 50; i++) assert.throws(() => plugin.callSync('spin', '', { timeoutMs }), { code: 'ERR_EXTISM_TIMEOUT' })
      assert.equal(String(plugin.callSync('echo', 'served')), 'served')
    }
    plugin.free()
  })
})

describe('a block that is larger than there can be', () => {
  for (const length of [2 ** 32 - 1, 2 ** 32, 2 ** 48, 2 ** 53 - 1]) {
    test(`of ${length} bytes is refused, and nothing lies beyond`, () => prints(`
      const body = (current, inputs, outputs) => {
        try { current.memoryAlloc(${length}) } catch (error) { console.log(error.code) }
        // Where the kernel would have put it.
        for (const offset of [65, 77, 78, 90]) current.memory(offset)
        current.returnString(outputs[0], 'served')
      }
      const host = new HostFunction('host', [], [ValType.I64], body)
      const plugin = new Plugin(guest('(func (export "run") (call $give (call $host)))', { user: '(import USER "host" (func $host (result i64)))' }), false, [host])
      console.log(String(await plugin.call('run')))`, ['ERR_EXTISM_OUT_OF_MEMORY', 'served']))
  }
})

describe('a sleep in WASI', () => {
  const poll = '(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))'
  /** Sleeps for an hour by the clock, and gives what `poll_oneoff` answered. */
  const run = `
    (data (i32.const 24) "\\00\\a0\\b8\\30\\46\\03\\00\\00")
    (func (export "run") (result i32) (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))`
  const MODULES = {
    'of a module with its own memory': [{ data: wat(`(module ${poll} (memory (export "memory") 1) ${run})`) }],
    'of a module with two memories': [{ data: wat(`(module ${poll} (memory (export "memory") 1) (memory 1) ${run})`) }],
    'that another module imports': [
      { name: 'other', data: wat(`(module ${poll} (export "poll" (func $poll)))`) },
      { name: 'main', data: wat(`(module (import "other" "poll" (func $poll (param i32 i32 i32 i32) (result i32))) (memory (export "memory") 1) ${run})`) }
    ]
  }
  for (const [name, wasm] of Object.entries(MODULES)) {
    test(`${name} ends with the timeout, or is not supported`, async () => {
      const plugin = new Plugin({ wasm, timeout_ms: 100 }, true)
      const error = await plugin.call('run').catch(error => error)
      assert.ok(error.code === 'ERR_EXTISM_TIMEOUT' || error.exitCode === 58, `${error.code} ${error.exitCode}`)
      await plugin.close()
    })
  }
})

test('a chain of modules that is too long is refused', async () => {
  const link = i => ({ name: `m${i}`, data: wat(i === 0 ? '(module (func (export "f")))' : `(module (import "m${i - 1}" "f" (func)) (func (export "f")))`) })
  const chain = length => ({ wasm: [...Array.from({ length }, (_, i) => link(i)), { name: 'main', data: wat(`(module (import "m${length - 1}" "f" (func $f)) (func (export "run") (call $f)))`) }] })
  assert.throws(() => new Plugin(chain(500)), { code: 'ERR_EXTISM_LINK', message: /501 modules/ })
  const plugin = new Plugin(chain(200))
  await plugin.call('run')
  await plugin.close()
})

describe('the end of a guest', () => {
  test('in its start code is no result of a call', async () => {
    const exit = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
    for (const code of [0, 3]) {
      const plugin = new Plugin(wat(`(module ${exit} (memory (export "memory") 1) (func $start (call $exit (i32.const ${code}))) (start $start) (func (export "run") unreachable))`), true)
      for (let i = 0; i < 3; i++) await assert.rejects(plugin.call('run'), { code: 'ERR_EXTISM_EXIT', exitCode: code })
      await plugin.close()
    }
  })

  test('with an error and a code has both', async () => {
    const plugin = new Plugin(guest(`
      (data (i32.const 0) "text")
      (func (export "exit") (drop (call $fail (call $put (i32.const 0) (i32.const 4)))) (call $exit (i32.const 9)))`, {
      user: '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
    }), true)
    await assert.rejects(plugin.call('exit'), { code: 'ERR_EXTISM_EXIT', exitCode: 9, message: /text/ })
    await plugin.close()
  })

  test('is not an error that it reports, however long nothing comes after', () => {
    const plugin = new Plugin(guest(`
      (global $calls (mut i32) (i32.const 48))
      (func (export "count") (local $block i64)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (local.set $block (call $alloc (i64.const 1)))
        (call $store_u8 (local.get $block) (global.get $calls))
        (call $give (local.get $block)))
      (func (export "refuse") (result i32) (call $fail (call $input)))`))
    for (let i = 1; i < 9; i++) {
      // The instance lets go of its thread after each.
      assert.equal(String(plugin.callSync('count')), `${i}`)
      assert.throws(() => plugin.callSync('refuse', 'no'), { code: 'ERR_EXTISM_GUEST' })
    }
    assert.equal(plugin.stats().replaced, 0)
    plugin.free()
  })
})

test('what a host function threw too late is the cause of the timeout, and not kept', () => {
  const plugin = new Plugin(guest('(func (export "run") (call $late))', { user: '(import USER "late" (func $late))' }), false, [new HostFunction('late', [], [], () => {
    for (const start = Date.now(); Date.now() - start < 30;);
    throw new RangeError('late')
  })])
  assert.throws(() => plugin.callSync('run', '', { timeoutMs: 5 }), error => error.code === 'ERR_EXTISM_TIMEOUT' && error.cause instanceof RangeError)
  plugin.free()
})

test('a guest that asks for its own error gets it', async () => {
  const code = guest('(func (export "run") (drop (call $fail (call $input))) (call $see (call $error_get)) (call $error_set (i64.const 0)) (call $see (call $error_get)))', {
    user: '(import USER "see" (func $see (param i64))) (import "extism:host/env" "error_get" (func $error_get (result i64)))'
  })
  const seen = []
  const plugin = new Plugin(code, false, [new HostFunction('see', [I64], [], (current, [error]) => { seen.push(current.inputString(error)) })])
  await plugin.call('run', 'wrong')
  assert.deepEqual(seen, ['wrong', ''])
  await plugin.close()
})

test('workers that end while plugins are made in them leave nothing behind', () => prints(`
  const { readdirSync } = await import('node:fs')
  const threads = () => process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0
  const work = \`const { parentPort, workerData } = require('node:worker_threads')
    import(workerData).then(({ Plugin }) => {
      for (let i = 0; i < 3; i++) Plugin.create(Buffer.from('(module (func (export "run")))'))
      parentPort.postMessage(1)
    })\`
  const round = async () => {
    const worker = new Worker(work, { eval: true, execArgv: [], workerData: ${JSON.stringify(new URL('../../index.js', import.meta.url).href)} })
    await once(worker, 'message')
    await worker.terminate()
  }
  for (let i = 0; i < 5; i++) await round()
  const before = threads()
  for (let i = 0; i < 15; i++) await round()
  // Threads end some time after what they worked for.
  const start = Date.now()
  while (threads() > before + 10 && Date.now() - start < 20_000) await new Promise(resolve => setTimeout(resolve, 50))
  console.log(threads() <= before + 10)`, 'true'))
