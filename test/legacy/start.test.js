import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin } from '../../index.js'
import { guest, wat } from '../helpers.js'

/** A plugin whose start code appends a letter to the variable that `run` gives. */
const SAYING = `
  (data (i32.const 0) "key")
  (func $key (result i64) (call $put (i32.const 0) (i32.const 3)))
  (func $say (param $letter i32)
    (local $old i64) (local $new i64) (local $i i64)
    (local.set $old (call $var_get (call $key)))
    (local.set $new (call $alloc (i64.add (call $length (local.get $old)) (i64.const 1))))
    (loop $next
      (if (i64.lt_u (local.get $i) (call $length (local.get $old)))
        (then
          (call $store_u8 (i64.add (local.get $new) (local.get $i)) (call $load_u8 (i64.add (local.get $old) (local.get $i))))
          (local.set $i (i64.add (local.get $i) (i64.const 1)))
          (br $next))))
    (call $store_u8 (i64.add (local.get $new) (local.get $i)) (local.get $letter))
    (call $var_set (call $key) (local.get $new)))
  (func (export "run") (call $say (i32.const 0x72)) (call $give (call $var_get (call $key))))
  (func (export "trap") unreachable)
  (func $start (call $say (i32.const 0x73)))
  (func $initialize (call $say (i32.const 0x69)))`

async function outputs (plugin, names) {
  const settled = await Promise.allSettled(names.map(name => plugin.call(name)))
  plugin.free()
  return settled.map(({ value, reason }) => value?.toString() ?? reason.code)
}

describe('start code of a plugin', () => {
  const FORMS = {
    'a start section': ['(start $start)', 's'],
    _initialize: ['(export "_initialize" (func $initialize))', 'i'],
    'a start section and _initialize': ['(start $start) (export "_initialize" (func $initialize))', 'si'],
    __wasm_call_ctors: ['(export "__wasm_call_ctors" (func $initialize))', 'i']
  }
  for (const [form, [code, said]] of Object.entries(FORMS)) {
    test(`${form} runs once, before the first call`, async () => {
      const plugin = new Plugin(guest(SAYING + code))
      assert.deepEqual(await outputs(plugin, ['run', 'run', 'run']), [`${said}r`, `${said}rr`, `${said}rrr`])
    })

    test(`${form} runs once more after a trap, on what is then a fresh plugin`, async () => {
      const plugin = new Plugin(guest(SAYING + code))
      assert.deepEqual(await outputs(plugin, ['run', 'trap', 'run', 'run']), [`${said}r`, 'ERR_EXTISM_TRAP', `${said}r`, `${said}rr`])
    })
  }

  test('does not see the input and does not use it up', async () => {
    const plugin = new Plugin(guest(`
      (global $seen (mut i64) (i64.const 0))
      (func $start (global.set $seen (call $input_length)))
      (func (export "run") (result i32) (call $give (call $input)) (i32.wrap_i64 (global.get $seen)))
      (start $start)`))
    assert.equal((await plugin.call('run', 'the input')).toString(), 'the input')
    plugin.free()
  })

  test('leaves no output and no error for the call', async () => {
    const plugin = new Plugin(guest('(func $start (call $give (call $alloc (i64.const 9)))) (func (export "run")) (start $start)'))
    assert.equal((await plugin.call('run')).length, 0)
    plugin.free()
  })

  test('may call host functions, which are called once', async () => {
    let calls = 0
    const plugin = new Plugin(guest('(func $start (call $note)) (func (export "run")) (start $start)', { user: '(import USER "note" (func $note))' }), false,
      [new HostFunction('note', [], [], async () => { calls++ })])
    await plugin.call('run')
    await plugin.call('run')
    assert.equal(calls, 1)
    plugin.free()
  })

  test('that fails in a host function fails the call, with its cause, and is tried again', async () => {
    let broken = true
    const plugin = new Plugin(guest('(func $start (call $note)) (func (export "run") (call $give (call $input))) (start $start)', { user: '(import USER "note" (func $note))' }), false,
      [new HostFunction('note', [], [], () => { if (broken) throw new RangeError('not yet') })])
    await assert.rejects(plugin.call('run'), error => error.code === 'ERR_EXTISM_HOST_FUNCTION' && error.cause instanceof RangeError)
    broken = false
    assert.equal((await plugin.call('run', 'now')).toString(), 'now')
    plugin.free()
  })

  test('that traps fails each call', async () => {
    const plugin = new Plugin('(module (func (export "run")) (func $start unreachable) (start $start))')
    assert.deepEqual(await outputs(plugin, ['run', 'run']), ['ERR_EXTISM_TRAP', 'ERR_EXTISM_TRAP'])
  })

  for (const form of ['(start $endless)', '(export "_initialize" (func $endless))', '(export "__wasm_call_ctors" (func $endless))', '(export "_initialize" (func $endless)) (export "hs_init" (func $haskell))']) {
    test(`that never ends, ${form}, ends in a timeout`, async () => {
      const data = wat(`(module (func $endless (loop $again (br $again))) (func $haskell (param i32 i32)) (func (export "run")) ${form})`)
      const plugin = new Plugin({ wasm: [{ data }], timeout_ms: 30 })
      assert.deepEqual(await outputs(plugin, ['run', 'run']), ['ERR_EXTISM_TIMEOUT', 'ERR_EXTISM_TIMEOUT'])
    })
  }

  test('hs_init gets two zeros, after _initialize', async () => {
    const plugin = new Plugin(`(module
      (global $order (mut i32) (i32.const 0))
      (func (export "_initialize") (global.set $order (i32.const 1)))
      (func (export "hs_init") (param i32 i32)
        (global.set $order (i32.add (i32.mul (global.get $order) (i32.const 10)) (i32.add (i32.const 2) (i32.add (local.get 0) (local.get 1))))))
      (func (export "run") (result i32) (global.get $order)))`)
    await assert.rejects(plugin.call('run'), { exitCode: 12 })
    plugin.free()
  })

  test('of a library runs once, too', async () => {
    const library = { name: 'library', data: wat('(module (global $n (mut i32) (i32.const 0)) (func $start (global.set $n (i32.add (global.get $n) (i32.const 1)))) (func (export "n") (result i32) (global.get $n)) (start $start))') }
    const main = { name: 'main', data: wat('(module (import "library" "n" (func $n (result i32))) (func (export "run") (result i32) (call $n)))') }
    const plugin = new Plugin({ wasm: [library, main] })
    for (let i = 0; i < 2; i++) await assert.rejects(plugin.call('run'), { exitCode: 1 })
    plugin.free()
  })
})

describe('a command', () => {
  test('runs on a fresh plugin each time _start is called', async () => {
    const plugin = new Plugin(guest(`
      (global $runs (mut i32) (i32.const 0))
      (func (export "_start")
        (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
        (call $output_set (call $input) (i64.extend_i32_u (global.get $runs))))`))
    for (let i = 0; i < 3; i++) assert.equal((await plugin.call('_start', 'abc')).toString(), 'a')
    plugin.free()
  })

  test('may have _initialize as well', async () => {
    const plugin = new Plugin(guest('(func (export "_start") (call $give (call $input))) (func (export "_initialize"))'))
    assert.equal((await plugin.call('_start', 'x')).toString(), 'x')
    plugin.free()
  })
})
