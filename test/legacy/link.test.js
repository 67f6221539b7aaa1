import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin, ValType } from '../../index.js'
import { guest, wat } from '../helpers.js'

const { I32, I64 } = ValType
const module = (name, text) => ({ name, data: wat(text) })

/** The return code of `run`. */
async function code (wasm, functions) {
  const plugin = new Plugin({ wasm }, false, functions)
  const error = await plugin.call('run').then(() => ({ exitCode: 0 }), error => error)
  plugin.free()
  return error.exitCode ?? error
}

function refused (wasm, message, functions, wasi) {
  assert.throws(() => new Plugin({ wasm }, wasi, functions), error => {
    assert.equal(error.name, 'ExtismError')
    assert.equal(error.code, 'ERR_EXTISM_LINK', error.message)
    assert.match(error.message, message)
    return true
  })
}

describe('several modules of a manifest', () => {
  const LIBRARY = module('library', `(module
    (memory (export "memory") 1) (global (export "global") i32 (i32.const 11)) (table (export "table") 1 funcref)
    (func (export "seven") (result i32) (i32.const 7))
    (func (export "store") (i32.store (i32.const 0) (i32.const 5))))`)

  test('are linked by name', async () => {
    const main = module('main', '(module (import "library" "seven" (func $seven (result i32))) (func (export "run") (result i32) (call $seven)))')
    assert.equal(await code([LIBRARY, main]), 7)
    assert.equal(await code([main, LIBRARY]), 7)
  })

  test('share memories, globals and tables', async () => {
    const main = module('main', `(module
      (import "library" "memory" (memory 1)) (import "library" "global" (global $global i32)) (import "library" "table" (table 1 funcref))
      (import "library" "store" (func $store))
      (func (export "run") (result i32) (call $store) (i32.add (global.get $global) (i32.load (i32.const 0)))))`)
    assert.equal(await code([LIBRARY, main]), 16)
  })

  test('without names: the last one is the plugin', async () => {
    const main = { data: wat('(module (import "library" "seven" (func $seven (result i32))) (func (export "run") (result i32) (call $seven)))') }
    assert.equal(await code([LIBRARY, main]), 7)
    assert.equal(await code([{ data: wat('(module)') }, { data: wat('(module (func (export "run") (result i32) (i32.const 3)))') }]), 3)
  })

  test('form chains, and one may be used by many', async () => {
    const middle = name => module(name, '(module (import "library" "seven" (func $seven (result i32))) (func (export "next") (result i32) (i32.add (call $seven) (i32.const 1))))')
    const main = module('main', '(module (import "a" "next" (func $a (result i32))) (import "b" "next" (func $b (result i32))) (func (export "run") (result i32) (i32.add (call $a) (call $b))))')
    assert.equal(await code([main, middle('b'), LIBRARY, middle('a')]), 16)
  })

  test('of both eras share the environment and the host functions', async () => {
    const library = era => ({ name: era, data: guest('(func (export "set") (call $hello) (call $var_set (call $put (i32.const 0) (i32.const 1)) (call $put (i32.const 0) (i32.const 1)))) (data (i32.const 0) "x")', { era, user: '(import USER "hello" (func $hello))' }) })
    const main = { name: 'main', data: guest('(data (i32.const 0) "x") (func (export "run") (result i32) (call $old) (call $new) (i32.wrap_i64 (call $length (call $var_get (call $put (i32.const 0) (i32.const 1))))))', { user: '(import "2023" "set" (func $old)) (import "modern" "set" (func $new))' }) }
    let hellos = 0
    assert.equal(await code([library('2023'), library('modern'), main], [new HostFunction('hello', [], [], () => { hellos++ })]), 1)
    assert.equal(hellos, 2)
  })

  test('call each other in a circle of imported functions', async () => {
    const a = module('a', '(module (import "b" "f" (func $b (param i32) (result i32))) (func (export "f") (param i32) (result i32) (if (result i32) (local.get 0) (then (call $b (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 5)))))')
    const b = module('b', '(module (import "a" "f" (func $a (param i32) (result i32))) (func (export "f") (param i32) (result i32) (call $a (local.get 0))))')
    const main = module('main', '(module (import "a" "f" (func $a (param i32) (result i32))) (func (export "run") (result i32) (call $a (i32.const 9))))')
    assert.equal(await code([a, b, main]), 5)
    assert.equal(await code([module('main', `(module (import "main" "f" (func $f (result i32))) (func (export "f") (result i32) (i32.const 6)) (func (export "run") (result i32) (call $f)))`)]), 6)
  })

  test('in a circle of imported memories, tables or globals are refused, and the circle is named', () => {
    for (const [kind, type] of Object.entries({ memory: 'memory 1', table: 'table 1 funcref', global: 'global i32' })) {
      const circle = ['a', 'b'].map((name, i, names) => module(name, `(module (import "${names[1 - i]}" "x" (${type})) (export "x" (${kind} 0)))`))
      refused([...circle, module('main', `(module (import "a" "x" (${type})))`)], new RegExp(`from module "main"/"a"/"b": .*"a" "x"; circular imports of type="${kind}"`))
    }
  })

  test('with the same name are refused', () => {
    refused([module('a', '(module)'), module('a', '(module)'), module('main', '(module)')], /two modules are named "a"/)
  })

  test('with a name of the environment or of WASI are refused', () => {
    for (const name of ['extism:host/env', 'extism:host/other', 'wasi_snapshot_preview1', 'wasi_unstable']) {
      refused([module(name, '(module)'), module('main', '(module)')], new RegExp(`cannot be named "${name}"`))
    }
  })

  for (const name of ['env', 'extism:host/user']) {
    test(`stand in for host functions with the name ${name}, and host functions come first`, async () => {
      const standIn = module(name, '(module (func (export "seven") (result i32) (i32.const 7)) (func (export "eight") (result i32) (i32.const 8)))')
      const main = module('main', `(module
        (import "${name}" "seven" (func $seven (result i32))) (import "${name}" "eight" (func $eight (result i32)))
        (func (export "run") (result i32) (i32.add (i32.mul (call $seven) (i32.const 10)) (call $eight))))`)
      const six = new HostFunction('seven', [], [I32], (current, inputs, [output]) => { output.v.i32 = 6 })
      assert.equal(await code([standIn, main]), 78)
      assert.equal(await code([standIn, main], [six]), 68)
    })
  }

  test('that lack what another wants are refused, by name', () => {
    refused([LIBRARY, module('main', '(module (import "library" "eight" (func)))')], /module "main".*"library" "eight"/)
    refused([LIBRARY, module('main', '(module (import "library" "seven" (global i32)))')], /module "main".*"library" "seven".*global.*function/)
  })

  test('that want another signature are refused', () => {
    refused([LIBRARY, module('main', '(module (import "library" "seven" (func (param i64))))')], /module "main".*"library" "seven"/)
    refused([LIBRARY, module('main', '(module (import "library" "global" (global i64)))')], /module "main".*"library" "global"/)
    refused([LIBRARY, module('main', '(module (import "library" "memory" (memory 9)))')], /module "main".*"library" "memory"/)
  })
})

describe('an import that nobody provides', () => {
  const missing = (from, name, what = 'func') => [module('main', `(module (import "${from}" "${name}" (${what})))`)]

  test('is refused by name when the plugin is made', () => {
    refused(missing('extism:host/user', 'absent'), /from module "main": cannot resolve import "extism:host\/user" "absent"/)
    refused(missing('env', 'absent'), /import "env" "absent"/)
    refused(missing('env', 'alloc'), /import "env" "alloc"/)
    refused(missing('env', 'extism_absent'), /import "env" "extism_absent"/)
    refused(missing('extism:host/env', 'absent'), /import "extism:host\/env" "absent"/)
    refused(missing('extism:host/env', 'extism_alloc'), /import "extism:host\/env" "extism_alloc"/)
    refused(missing('', ''), /import "" ""/)
  })

  test('is refused whatever it is', () => {
    for (const what of ['memory 1', 'global i32', 'table 1 funcref']) refused(missing('env', 'thing', what), /import "env" "thing"/)
  })

  test('is refused in a library, too', () => {
    const library = module('library', '(module (import "env" "absent" (func)) (func (export "f")))')
    refused([library, module('main', '(module (import "library" "f" (func)))')], /from module "main"\/"library": cannot resolve import "env" "absent"/)
  })
})

describe('an import of another signature', () => {
  test('than the host function has is refused, with both', () => {
    const add = new HostFunction('add', [I32, I64], [I64], () => {})
    for (const type of ['', '(param i32 i64)', '(param i64 i32) (result i64)', '(param i32 i64) (result i32)', '(param i32 i64 i32) (result i64)']) {
      refused([module('main', `(module (import "env" "add" (func ${type})))`)], /import "env" "add".*\(i32, i64\) -> \(i64\)/, [add])
    }
    refused([module('main', '(module (import "env" "add" (global i32)))')], /"add".*"global"-typed host imports are not supported/, [add])
  })

  test('than the environment has is refused, with both', () => {
    refused([module('main', '(module (import "extism:host/env" "alloc" (func (param i32) (result i32))))')], /"alloc".*\(i32\) -> \(i32\).*\(i64\) -> \(i64\)/)
    refused([module('main', '(module (import "env" "extism_length" (func)))')], /"extism_length".*\(i64\) -> \(i64\)/)
    refused([module('main', '(module (import "extism:host/env" "alloc" (memory 1)))')], /"alloc".*"memory"-typed host imports are not supported/)
  })
})

describe('an import of WASI', () => {
  const wasm = [module('main', '(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32))) (memory (export "memory") 1) (func (export "run") (result i32) (call $yield)))')]

  test('is refused with WASI off, which is the default', () => {
    refused(wasm, /WASI is not enabled.*"wasi_snapshot_preview1" "sched_yield"/)
    refused(wasm, /WASI/, [], false)
    assert.throws(() => new Plugin({ wasm }), { code: 'ERR_EXTISM_LINK' })
  })

  test('works with WASI on', async () => {
    const plugin = new Plugin({ wasm }, true)
    assert.equal((await plugin.call('run')).length, 0)
    plugin.free()
  })

  test('of a function that WASI has not is refused', async () => {
    const unknown = [module('main', '(module (import "wasi_snapshot_preview1" "nonsense" (func)) (func (export "run")))')]
    refused(unknown, /"wasi_snapshot_preview1" "nonsense"/, [], true)
  })
})

test('each call of a command that is imported has a fresh instance of it, however many there are', async () => {
  const side = module('side', `(module (memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
    (func (export "_start") (global.set $n (i32.const 10)))
    (func (export "count") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))`)
  const main = module('main', `(module (import "side" "count" (func $count (result i32)))
    (func (export "run") (result i32) (drop (call $count)) (drop (call $count)) (call $count))
    (func (export "many") (result i32) (local $i i32)
      (loop $again
        (if (i32.ne (call $count) (i32.const 1)) (then unreachable))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100))))
      (i32.const 0)))`)
  assert.equal(await code([side, main]), 1)
  const plugin = new Plugin({ wasm: [side, main] })
  for (let i = 0; i < 50; i++) await plugin.call('many')
  await plugin.close()
})
