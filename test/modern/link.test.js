import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createPlugin } from '../../index.js'
import { guest, wat } from '../helpers.js'
import { USER, made, said, saying, textOf } from './making.js'

const module = (name, text) => ({ name, data: wat(`(module ${text})`) })
const main = text => module('main', text)
const answer = { [USER]: { answer: () => {} } }

function refused (wasm, message, options = { functions: answer }) {
  return assert.rejects(createPlugin({ wasm }, options), { name: 'ExtismError', code: 'ERR_EXTISM_LINK', message })
}

/** A module whose `run` gives what it can of a number from the `seven` of others. */
function running (imports, sum) {
  return {
    name: 'main',
    data: guest(`(func (export "run") (local $block i64)
      (local.set $block (call $alloc (i64.const 1)))
      (call $store_u8 (local.get $block) (i32.add (i32.const 48) ${sum}))
      (call $give (local.get $block)))`, { user: imports })
  }
}

describe('modules of a manifest', () => {
  const LIBRARY = module('library', `
    (memory (export "memory") 1) (global (export "global") i32 (i32.const 2)) (table (export "table") 1 funcref)
    (func (export "four") (result i32) (i32.const 4))`)

  test('share functions, globals and tables by name, in any order', async () => {
    const wasm = [LIBRARY, running(`
      (import "library" "four" (func $four (result i32))) (import "library" "global" (global $two i32))
      (import "library" "table" (table 1 funcref))`, '(i32.add (call $four) (global.get $two))')]
    assert.equal(await said({ wasm }), '6')
    assert.equal(await said({ wasm: wasm.reverse() }), '6')
  })

  test('share memories', async t => {
    const filling = module('filling', '(memory (export "memory") 1) (data (i32.const 0) "\\05")')
    const reading = module('reading', '(import "filling" "memory" (memory 1)) (func (export "read") (result i32) (i32.load8_u (i32.const 0)))')
    assert.equal(await said({ wasm: [filling, reading, running('(import "reading" "read" (func $read (result i32)))', '(call $read)')] }), '5')
  })

  test('are there once, whoever imports them, and not at all if nobody does', async () => {
    const counter = module('counter', '(global $n (mut i32) (i32.const 0)) (func (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))')
    const middle = name => module(name, '(import "counter" "next" (func $next (result i32))) (func (export "next") (result i32) (call $next))')
    const unused = module('unused', '(import "nowhere" "f" (func)) (func $f unreachable) (start $f)')
    const wasm = [unused, counter, middle('a'), middle('b'), running('(import "a" "next" (func $a (result i32))) (import "b" "next" (func $b (result i32)))', '(i32.add (call $a) (call $b))')]
    assert.equal(await said({ wasm }), '3')
  })

  test('come before host functions of the same namespace', async () => {
    const wasm = [LIBRARY, running('(import "library" "four" (func $four (result i32)))', '(call $four)')]
    assert.equal(await said({ wasm }, { functions: { library: { four: () => 9 } } }), '4')
  })

  for (const name of ['env', USER]) {
    test(`stand in for host functions with the name ${name}, and host functions come first`, async () => {
      const standIn = module(name, '(func (export "four") (result i32) (i32.const 4)) (func (export "two") (result i32) (i32.const 2))')
      const wasm = [standIn, running(`(import "${name}" "four" (func $four (result i32))) (import "${name}" "two" (func $two (result i32)))`, '(i32.add (call $four) (call $two))')]
      assert.equal(await said({ wasm }), '6')
      assert.equal(await said({ wasm }, { functions: { [name]: { four: () => 5 } } }), '7')
    })
  }

  test('call each other in a circle of imported functions', async () => {
    const even = module('even', `
      (import "main" "odd" (func $odd (param i32) (result i32)))
      (func (export "even") (param i32) (result i32) (if (result i32) (local.get 0) (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))`)
    const odd = running('(import "even" "even" (func $even (param i32) (result i32)))', '(call $even (i32.const 10))')
    odd.data = wat(String(odd.data).replace(/\)$/, `
      (func (export "odd") (param i32) (result i32) (if (result i32) (local.get 0) (then (call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0)))))`))
    assert.equal(await said({ wasm: [even, odd] }), '1')
    assert.equal(await said({ wasm: [odd, even] }), '1')
  })

  test('have start code that runs before that of those who import them', async t => {
    const said = []
    const functions = { [USER]: { say: (context, number) => { said.push(number) } } }
    const say = (name, number, rest) => module(name, `(import "${USER}" "say" (func $say (param i32))) ${rest} (func $start (call $say (i32.const ${number}))) (start $start) (func (export "f"))`)
    await made(t, { wasm: [say('outer', 2, '(import "inner" "f" (func))'), say('inner', 1, ''), say('main', 3, '(import "outer" "f" (func))')] }, { functions })
    assert.deepEqual(said, [1, 2, 3])
  })
})

describe('what cannot be linked is refused in these words', () => {
  const F = '(func (export "f"))'

  test('an import that nobody provides', () => refused([main('(import "nowhere" "f" (func))')],
    'from module "main": cannot resolve import "nowhere" "f": not provided by host imports nor linked manifest items'))

  for (const namespace of ['env', USER, 'extism:host/env']) {
    test(`an import that is not in ${namespace}`, () => refused([main(`(import "${namespace}" "absent" (func))`)],
      `from module "main": cannot resolve import "${namespace}" "absent" ("${namespace}" is a host module, but does not contain "absent")`))
  }

  test('an import that a module has not', () => refused([module('a', F), main('(import "a" "g" (func))')],
    'from module "main": cannot import "a" "g"; no export matched request'))

  test('an import of something else than a function from the host', async () => {
    const kinds = { memory: 'memory 1', global: 'global i32', table: 'table 1 funcref' }
    for (const [kind, import_] of Object.entries(kinds)) {
      await refused([main(`(import "${USER}" "answer" (${import_}))`)], `from module "main": in import "${USER}" "answer", "${kind}"-typed host imports are not supported yet`)
    }
  })

  test('modules that import a memory, table or global from each other', async () => {
    for (const [kind, type] of Object.entries({ memory: 'memory 1', table: 'table 1 funcref', global: 'global i32' })) {
      const circle = `cannot import "a" "x"; circular imports of type="${kind}" are not supported`
      const [a, b] = ['a', 'b'].map((name, i, names) => module(name, `(import "${names[1 - i]}" "x" (${type})) (export "x" (${kind} 0))`))
      await refused([a, b, main(`(import "a" "x" (${type}))`)], `from module "main"/"a"/"b": ${circle}`)
      await refused([module('a', `(import "a" "x" (${type})) (export "x" (${kind} 0))`), main(`(import "a" "x" (${type}))`)], `from module "main"/"a": ${circle}`)
    }
  })

  test('a module deep down', () => refused([module('a', `(import "nowhere" "f" (func)) ${F}`), main('(import "a" "f" (func))')],
    'from module "main"/"a": cannot resolve import "nowhere" "f": not provided by host imports nor linked manifest items'))

  test('WASI where it is not on', () => refused([main('(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))')],
    /^WASI is not enabled; see the "useWasi" plugin option/))

  test('another signature', async () => {
    await refused([module('a', F), main('(import "a" "f" (func (param i32)))')], /^from module "main": cannot import "a" "f"; /)
    await refused([main('(import "extism:host/env" "length" (func))')], /^from module "main": cannot import "extism:host\/env" "length"; /)
  })

  test('a module with a name of the environment or of WASI', async () => {
    for (const name of ['extism:host/env', 'extism:host/other', 'wasi_snapshot_preview1', 'wasi_unstable']) {
      await refused([module(name, F), main('')], new RegExp(`cannot be named "${name}"`))
    }
  })

  test('two modules of one name', () => refused([module('a', F), module('a', F), main('')], /two modules are named "a"/))
})

describe('start code', () => {
  const counting = `(global $n (mut i32) (i32.const 48)) (func $count (global.set $n (i32.add (global.get $n) (i32.const 1))))
    (func (export "run") (local $block i64)
      (local.set $block (call $alloc (i64.const 1))) (call $store_u8 (local.get $block) (global.get $n)) (call $give (local.get $block)))`
  const FORMS = {
    'a start section': '(start $count)',
    _initialize: '(export "_initialize" (func $count))',
    __wasm_call_ctors: '(export "__wasm_call_ctors" (func $count))',
    '_start, without WASI': '(export "_start" (func $count))'
  }
  for (const [form, code] of Object.entries(FORMS)) {
    test(`runs once, when the plugin is created: ${form}`, async t => {
      const plugin = await made(t, guest(counting + code))
      for (let i = 0; i < 3; i++) assert.equal(await textOf(plugin.call('run')), '1')
    })
  }

  test('_start does not run by itself where there is WASI', async t => {
    const user = '(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))'
    assert.equal(await said(guest(counting + FORMS['_start, without WASI'], { user }), { useWasi: true }), '0')
  })

  test('hs_init runs with zeros, after _initialize', async t => {
    const seen = []
    const user = '(import USER "say" (func $say (param i32)))'
    const code = guest('(func (export "hs_init") (param i32 i32) (call $say (local.get 0))) (func (export "_initialize") (call $say (i32.const 1)))', { user })
    await made(t, code, { functions: { [USER]: { say: (context, number) => { seen.push(number) } } } })
    assert.deepEqual(seen, [1, 0])
  })

  const starting = code => guest(`(func $start ${code}) (start $start)`, { user: '(import USER "answer" (func $answer))' })

  test('that traps or fails rejects createPlugin', async () => {
    await assert.rejects(createPlugin(starting('unreachable'), { functions: answer }), error => error instanceof WebAssembly.RuntimeError && error.code === 'ERR_EXTISM_TRAP')
    const failure = new Error('from the host')
    await assert.rejects(createPlugin(starting('(call $answer)'), { functions: { [USER]: { answer: () => { throw failure } } } }), error => error === failure)
    assert.equal(await said(saying('next')), 'next')
  })

  test('that never ends rejects createPlugin with the timeout', async () => {
    await assert.rejects(createPlugin(starting('(loop $again (br $again))'), { functions: answer, timeoutMs: 100 }), {
      code: 'ERR_EXTISM_TIMEOUT', message: 'EXTISM: timed out while waiting for plugin to instantiate'
    })
  })
})

test('a command that others import from has its _start run once, and keeps its state', async t => {
  const side = module('side', `(memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
    (func (export "_start") (global.set $n (i32.add (global.get $n) (i32.const 3))))
    (func (export "count") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))`)
  const plugin = await made(t, { wasm: [side, running('(import "side" "count" (func $count (result i32)))', '(call $count)')] })
  for (const expected of ['4', '5', '6']) assert.equal(await textOf(plugin.call('run')), expected)
})
