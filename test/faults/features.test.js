import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createPlugin } from '../../index.js'
import { guest, prints } from '../helpers.js'

const run = body => `(module (func (export "run") ${body}))`

/** For what no text says: a module whose `run` has these instructions, or with these exports. */
function binary (instructions, exports = '010372756e0000') {
  const section = (id, hex) => [Buffer.from([id, hex.length / 2]), Buffer.from(hex, 'hex')]
  const body = `00${instructions}`
  const code = `01${Buffer.from([body.length / 2]).toString('hex')}${body}`
  return Buffer.concat([Buffer.from('\0asm\x01\0\0\0', 'latin1'), section(1, '01600000'), section(3, '0100'), section(7, exports), section(10, code)].flat())
}

/** Runs a script in a process of its own that has these modules, and a neighbour that serves in the end. */
function survives (modules, script) {
  return prints(`
    const neighbour = new Plugin(pluginBytes('modern.wat'))
    for (const text of ${JSON.stringify(modules.map(module => Buffer.from(module).toString('base64')))}) {
      const data = Buffer.from(text, 'base64')
      ${script}
    }
    console.log(String(await neighbour.call('echo', 'served')))`, 'served')
}

/** What a message has to say, and the modules that it is about. */
const REFUSED = {
  threads: [/threads/, [
    '(module (memory 1 1 shared))',
    '(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))',
    '(module (memory 1) (func (drop (memory.atomic.notify (i32.const 0) (i32.const 0)))))',
    run('(atomic.fence)')
  ]],
  'what threads share beside memory': [/shared-everything-threads/, [
    '(module (global (shared i32) (i32.const 0)))',
    '(module (type (shared (func))))'
  ]],
  'exceptions of the old kind': [/exceptions/, [binary('06400b0b')]],
  'custom page sizes': [/custom page sizes/, ['(module (memory 1 (pagesize 1)))', '(module (memory 0 (pagesize 65536)) (memory 0 (pagesize 1)))']],
  'wide arithmetic': [/wide arithmetic/, [
    run('(i64.add128 (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)) (drop) (drop)'),
    run('(i64.mul_wide_u (i64.const 1) (i64.const 1)) (drop) (drop)')
  ]],
  'stack switching': [/stack switching|exceptions/, [
    '(module (type $f (func)) (type (cont $f)))',
    '(module (type $f (func)) (tag $tag (type $f)) (func (suspend $tag)))'
  ]],
  'memory control': [/memory control/, ['(module (memory 1) (func (memory.discard (i32.const 0) (i32.const 65536))))']],
  'compact imports': [/compact imports/, ['(module (import "extism:host/env" (item "alloc" (func)) (item "free" (func))))']],
  'custom descriptors': [/custom descriptors|[Ee]xact/, [
    '(module (rec (type $a (descriptor $b) (struct)) (type $b (describes $a) (struct))))',
    binary('0b', '010372756e2000')
  ]],
  'an import of exactly one type': [/custom.descriptors|[Ee]xact/, ['(module (type $free (func (param i64))) (import "extism:host/env" "free" (func (exact (type $free)))))']],
  components: [/component|neither WebAssembly/, ['(component)', '(component (core module))', Buffer.from('\0asm\x0d\0\x01\0', 'latin1')]],
  'another version': [/version/, [Buffer.from('\0asm\x02\0\0\0', 'latin1'), Buffer.from('\0asm\x01\0\x01\0', 'latin1')]],
  'two exports of one name': [/duplicate export name `run`/, [
    binary('0b', '020372756e00000372756e0000'),
    '(module (func (export "run") (export "run")))',
    '(module (func (export "run")) (memory (export "run") 1))'
  ]],
  'blocks that do not end': [/end of function|expected|unexpected/, [binary('02400b'), binary('0340024004400b0b'), run('block'), '(module (func (export "run") (block']],
  'ends of no blocks': [/end of function|extra tokens/, [binary('0b0b'), binary('010b0b0b'), `${run('')})`]],
  'an else without an if, and a branch to nowhere': [/`else` found|label|branch/, [binary('050b'), binary('02400c020b0b'), run('br 1')]]
}

describe('a module is refused, in words, for', () => {
  for (const [name, [words, modules]] of Object.entries(REFUSED)) {
    test(name, () => survives(modules, `
      const makes = [() => createPlugin({ wasm: [{ data }] }), () => Plugin.create(data), async () => new Plugin(data)]
      for (const make of makes) await assert.rejects(make, { name: 'ExtismError', code: 'ERR_EXTISM_MODULE', message: ${words} }, data.toString('latin1'))`))
  }
})

/** Traps unless this is 7. */
const seven = value => `(if (i32.ne ${value} (i32.const 7)) (then unreachable))`

const SUPPORTED = {
  'several memories': `(module (memory $a 1) (memory $b 1) (func (export "run")
    (i32.store $b (i32.const 0) (i32.const 7))
    (memory.copy $a $b (i32.const 8) (i32.const 0) (i32.const 4))
    ${seven('(i32.load $a (i32.const 8))')}))`,
  'memories and tables of 64 bits': `(module (memory i64 1) (table i64 7 funcref) (func (export "run")
    (i32.store (i64.const 8) (i32.const 7))
    ${seven('(i32.load (i64.const 8))')} ${seven('(i32.wrap_i64 (table.size 0))')}))`,
  'memory of 64 bits that grows, in bulk': `(module (memory i64 1 4) (func (export "run")
    (memory.fill (i64.const 100) (i32.const 7) (i64.const 10))
    (memory.copy (i64.const 200) (i64.const 100) (i64.const 10))
    (if (i64.eq (memory.grow (i64.const 1)) (i64.const -1)) (then unreachable))
    ${seven('(i32.load8_u offset=200 (i64.const 9))')}))`,
  'tail calls': `(module
    (type $count (func (param i32) (result i32))) (table funcref (elem $count))
    (func $count (type $count) (if (result i32) (local.get 0)
      (then (return_call_indirect (type $count) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))
      (else (i32.const 7))))
    (func $first (result i32) (return_call $count (i32.const 1000000)))
    (func (export "run") ${seven('(call $first)')}))`,
  SIMD: run(seven('(i32x4.extract_lane 2 (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 2 4 4)))')),
  'relaxed SIMD': run(seven('(i32.trunc_f32_s (f32x4.extract_lane 0 (f32x4.relaxed_madd (v128.const f32x4 2 0 0 0) (v128.const f32x4 3 0 0 0) (v128.const f32x4 1 0 0 0))))')),
  'garbage collection': `(module
    (rec (type $list (struct (field (ref null $list)) (field (ref $bytes)))) (type $bytes (array (mut i8))))
    (func (export "run") (local $any anyref)
      (local.set $any (struct.new $list (ref.null $list) (array.new $bytes (i32.const 7) (i32.const 100))))
      ${seven('(array.get_u $bytes (struct.get $list 1 (ref.cast (ref $list) (local.get $any))) (i32.const 99))')}
      ${seven('(i31.get_s (ref.i31 (i32.const 7)))')}))`,
  'references to functions of a type': `(module
    (type $f (func (result i32))) (func $seven (type $f) (i32.const 7))
    (table 2 (ref $f) (ref.func $seven)) (elem declare func $seven)
    (func (export "run") ${seven('(call_ref $f (ref.func $seven))')} ${seven('(call_ref $f (table.get (i32.const 1)))')}))`,
  'references of the host': `(module (table 1 externref) (func (export "run")
    (table.set (i32.const 0) (extern.convert_any (ref.i31 (i32.const 7))))
    ${seven('(i31.get_s (ref.cast (ref i31) (any.convert_extern (table.get (i32.const 0)))))')}))`,
  exceptions: `(module
    (tag $thrown (param i32))
    (func $throw (param i32) (throw $thrown (local.get 0)))
    (func $deep (param i32) (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (call $throw (i32.const 7)))))
    (func $caught (result i32) (block $caught (result i32) (try_table (catch $thrown $caught) (call $deep (i32.const 100))) (i32.const 0)))
    (func $again (result i32)
      (block $outer (result i32)
        (try_table (catch $thrown $outer)
          (block $inner (result exnref) (try_table (catch_all_ref $inner) (call $throw (i32.const 7))) unreachable)
          (throw_ref))
        (i32.const 0)))
    (func (export "run") ${seven('(call $caught)')} ${seven('(call $again)')}))`,
  'several values': `(module (func $two (result i32 i32) (i32.const 3) (i32.const 4)) (func (export "run") ${seven('(i32.add (call $two))')}))`,
  'memory and tables in bulk': `(module (memory 1) (data $data "\\07") (data $gone "") (table 2 funcref) (elem $elem func $f) (elem $away func $f) (func $f (result i32) (i32.const 7))
    (func (export "run")
      (memory.init $data (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $gone)
      (memory.fill (i32.const 8) (i32.const 7) (i32.const 1))
      (table.init $elem (i32.const 1) (i32.const 0) (i32.const 1)) (elem.drop $away)
      ${seven('(i32.load8_u (i32.const 0))')} ${seven('(i32.load8_u (i32.const 8))')} ${seven('(call_indirect (result i32) (i32.const 1))')}))`,
  'constants that are computed': `(module (global $seven (mut i32) (i32.add (i32.const 3) (i32.const 4))) (export "global" (global $seven)) (func (export "run") ${seven('(global.get $seven)')}))`,
  'conversions that do not trap': run(`${seven('(i32.sub (i32.const 7) (i32.trunc_sat_f32_s (f32.const nan)))')} ${seven('(i32.add (i32.const 8) (i32.extend8_s (i32.const 0xff)))')}`),
  'hints where branches go': run(`(@metadata.code.branch_hint "\\00") (if (i32.const 0) (then unreachable))`)
}

describe('a module runs with', () => {
  for (const [name, module] of Object.entries(SUPPORTED)) {
    test(name, () => survives([module], `
      for (const plugin of [await createPlugin({ wasm: [{ data }] }), new Plugin(data)]) {
        await plugin.call('run')
        plugin.callSync('run')
        await plugin.close()
      }`))
  }
})

test('an exception that nobody catches fails its call, and none catches what a host function throws', async () => {
  const thrown = guest(`
    (tag $thrown)
    (func (export "throw") (throw $thrown))
    (func (export "catch") (block $caught (try_table (catch_all $caught) (call $host))) (call $give (call $input)))
    (func (export "echo") (call $give (call $input)))`, { user: '(import USER "host" (func $host))' })
  const reason = new Error('of the host')
  const plugin = await createPlugin(thrown, { functions: { 'extism:host/user': { host: () => { throw reason } } } })
  await assert.rejects(plugin.call('throw'), { code: 'ERR_EXTISM_TRAP' })
  assert.throws(() => plugin.callSync('throw'), { code: 'ERR_EXTISM_TRAP' })
  // A guest cannot catch what a host function throws: its call has failed.
  await assert.rejects(plugin.call('catch'), error => error === reason)
  assert.equal((await plugin.call('echo', 'next')).text(), 'next')
  await plugin.close()
})
