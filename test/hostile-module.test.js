import { describe, test } from 'node:test'
import { prints } from './helpers.js'

/**
 * Runs a script in a process of its own where `failing(f)` gives the code of what `f` throws or
 * rejects with. The script must print `codes` and leave a process that still serves calls and
 * ends with 0.
 */
function survives (script, codes) {
  return prints(`
    async function failing (f) {
      try {
        await f()
      } catch (error) {
        assert.ok(error instanceof Error, String(error))
        return error.code
      }
      return 'no error'
    }
    const calling = async (manifest, name = 'run', functions = []) => {
      const plugin = new Plugin({ timeout_ms: 100, memory: { max_pages: 1_000 }, ...manifest }, false, functions)
      try { return await plugin.call(name, 'x') } finally { plugin.free() }
    }
    const module = (text, name) => ({ data: wat(text), name })
    ${script}
    const neighbour = new Plugin(pluginBytes('modern.wat'))
    assert.equal((await neighbour.call('echo', 'alive')).toString(), 'alive')`, codes)
}

describe('what a plugin may not import', () => {
  const KERNEL = {
    memory: '(memory 1)',
    reset: '(func)',
    input_set: '(func (param i64 i64))',
    output_offset: '(func (result i64))',
    memory_bytes: '(func (result i64))'
  }
  for (const [name, type] of Object.entries(KERNEL)) {
    test(`"${name}" of the kernel`, () => survives(
      `console.log(await failing(() => calling({ wasm: [module('(module (import "extism:host/env" "${name}" ${type}) (func (export "run")))')] })))`,
      'ERR_EXTISM_LINK'
    ))
  }

  test('what neither the host nor a module has', () => survives(`
    for (const [from, name, type] of [['extism-napi:guard', 'begin', '(func (param i64) (result i64))'], ['extism:host', 'next', '(func (result i32 i64))'], ['main', 'serve', '(func)']]) {
      console.log(await failing(() => calling({ wasm: [module('(module (import "' + from + '" "' + name + '" ' + type + ') (func (export "run")))')] })))
    }`, Array(3).fill('ERR_EXTISM_LINK')))
})

describe('start code', () => {
  test('that loops ends in a timeout', () => survives(`
    for (const start of ['(start $f)', '(export "_initialize" (func $f))', '(export "__wasm_call_ctors" (func $f))']) {
      console.log(await failing(() => calling({ wasm: [module('(module (func $f (loop $again (br $again))) (func (export "run"))' + start + ')')] })))
    }`, Array(3).fill('ERR_EXTISM_TIMEOUT')))

  test('that uses the environment and host functions finds them ready', () => survives(`
    const hear = new HostFunction('hear', [ValType.I64], [], (current, inputs) => console.log(current.inputString(inputs[0])))
    const data = guest(\`
      (data (i32.const 0) "heard")
      (func $start
        (call $hear (call $put (i32.const 0) (i32.const 5)))
        (drop (call $config_get (call $put (i32.const 0) (i32.const 5))))
        (call $log_info (call $put (i32.const 0) (i32.const 5))))
      (func (export "run")) (start $start)\`, { user: '(import USER "hear" (func $hear (param i64)))' })
    console.log(await failing(() => calling({ wasm: [{ data }] }, 'run', [hear])))`, ['heard', 'no error']))

  test('that forges, grows or recurses without end fails as a call does', () => survives(`
    const start = body => ({ wasm: [{ data: guest('(func (export "run")) (start $start) (func $deep (call $deep) (call $deep)) (func $start ' + body + ')') }] })
    console.log(await failing(() => calling(start('(call $store_u64 (i64.sub (call $alloc (i64.const 8)) (i64.const 8)) (i64.const -1))'))))
    console.log(await failing(() => calling(start('(drop (memory.grow (i32.const 60000)))'))))
    console.log(await failing(() => calling(start('(call $deep)'))))
    console.log(await failing(() => calling(start('(call $output_set (call $alloc (i64.const 8)) (i64.const -1))'))))`,
  ['ERR_EXTISM_MEMORY', 'ERR_EXTISM_OUT_OF_MEMORY', 'ERR_EXTISM_TRAP', 'ERR_EXTISM_MEMORY']))
})

describe('a manifest', () => {
  test('in JSON with pointers is refused', () => survives(`
    for (const data of [{ ptr: 0, len: 8 }, { ptr: 1, len: 2 ** 40 }, { ptr: 2 ** 52, len: 16 }]) {
      console.log(await failing(() => new Plugin(JSON.stringify({ wasm: [{ data }] }))))
    }`, Array(3).fill('ERR_EXTISM_MANIFEST')))

  test('whose modules call each other in a circle without end fails its calls', () => survives(`
    const circle = (n, f) => [...Array.from({ length: n }, (_, i) => module('(module (import "' + (i + 1) % n + '" "f" (func $f)) ' + f + ')', String(i))), module('(module (import "0" "f" (func $f)) (func (export "run") (call $f)))', 'main')]
    for (const f of ['(func (export "f") (call $f))', '(func (export "f") (return_call $f))', '(export "f" (func $f))']) {
      for (const n of [1, 2, 100]) console.log(await failing(() => calling({ wasm: circle(n, f) })))
    }`, ['TRAP', 'TIMEOUT', 'TIMEOUT'].flatMap(end => Array(3).fill(`ERR_EXTISM_${end}`))))

  test('with a long chain of modules works or is refused', () => survives(`
    const chain = n => Array.from({ length: n }, (_, i) => module(i === 0 ? '(module (func (export "run")))' : '(module (import "' + (i - 1) + '" "run" (func $f)) (func (export "run") (call $f)))', String(i)))
    console.log(await failing(() => calling({ wasm: chain(50), timeout_ms: 60_000, memory: {} })))`, 'no error'))
})

describe('a module', () => {
  test('cut off anywhere, or with any byte changed, is refused or runs', () => survives(`
    const whole = Buffer.from('0061736d01000000010401600000030201000707010372756e00000801000a040102000b', 'hex')
    const outcomes = new Set()
    const note = async bytes => outcomes.add(await failing(() => new Plugin(bytes).free()))
    for (let i = 0; i < whole.length; i++) {
      await note(whole.subarray(0, i))
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(whole)
        changed[i] = value
        await note(changed)
      }
    }
    for (const outcome of outcomes) assert.ok(['no error', 'ERR_EXTISM_MODULE', 'ERR_EXTISM_LINK'].includes(outcome), outcome)
    assert.ok(outcomes.size >= 2)
    console.log('done')`, 'done'))

  test('that wants more memory than it may have fails with a code', () => survives(`
    for (const body of ['(memory 65536)', '(memory 60000) (memory 60000)', '(memory 1) (func $f (drop (memory.grow (i32.const 65535)))) (start $f)']) {
      console.log(await failing(() => calling({ wasm: [module('(module ' + body + '(func (export "run")))')] })))
    }`, Array(3).fill('ERR_EXTISM_OUT_OF_MEMORY')))

  test('that recurses without end traps, however large its frames are', () => survives(`
    const locals = '(local i64)'.repeat(1000)
    console.log(await failing(() => calling({ wasm: [module('(module (func $f (export "run") (call $f) (call $f)))')] })))
    console.log(await failing(() => calling({ wasm: [module('(module (func $f (export "run")' + locals + '(call $f) (call $f)))')] })))
    console.log(await failing(() => calling({ wasm: [{ data: guest('(func $f (export "run") (drop (call $alloc (i64.const 1))) (call $f) (call $f))') }] })))`,
  Array(3).fill('ERR_EXTISM_TRAP')))

  test('that fills its memory with blocks fails with a code', () => survives(`
    const hoard = size => ({ wasm: [{ data: guest('(func (export "run") (loop $again (br_if $again (i64.ne (call $alloc (i64.const ' + size + ')) (i64.const 0)))) (unreachable))') }], timeout_ms: 10_000, memory: { max_pages: 100 } })
    for (const size of [1, 1000, 100_000]) console.log(await failing(() => calling(hoard(size))))`,
  Array(3).fill('ERR_EXTISM_OUT_OF_MEMORY')))
})

describe('a host function that asks for too much', () => {
  test('gets an error with a code, and the plugin goes on', () => survives(`
    const ask = new HostFunction('ask', [], [], current => {
      for (const n of [2 ** 31, 2 ** 32 - 13, 2 ** 32 - 12, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 8, 2 ** 33, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
        let code
        try { current.memoryAlloc(n) } catch (error) { code = error.code }
        assert.match(String(code), /^ERR_/, n + ': ' + code)
      }
    })
    const data = guest('(func (export "run") (call $ask) (call $give (call $input)))', { user: '(import USER "ask" (func $ask))' })
    const plugin = new Plugin({ wasm: [{ data }], memory: { max_pages: 100 } }, false, [ask])
    console.log((await plugin.call('run', 'input')).toString())`, 'input'))
})
