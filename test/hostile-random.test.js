import { test } from 'node:test'
import assert from 'node:assert/strict'
import { run } from './helpers.js'

/**
 * A plugin that does what its input says: 24 bytes a step, the number of an operation and two
 * arguments. The steps are random, but aim at blocks, their headers and their ends.
 */
const SCRIPT = `
  const CALLS = [
    '(drop (call $alloc A))', '(call $free A)', '(drop (call $length A))', '(drop (call $load_u8 A))', '(drop (call $load_u64 A))',
    '(call $store_u8 A (i32.wrap_i64 B))', '(call $store_u64 A B)', '(call $output_set A B)', '(call $error_set A)',
    '(drop (call $config_get A))', '(drop (call $var_get A))', '(call $var_set A B)', '(call $log_info A)',
    '(drop (call $read A))', '(drop (call $write A))', '(drop (call $release A))', '(drop (call $give_back A))', '(drop (call $get A))',
    '(drop (call $http A B))'
  ]
  const BODIES = {
    read: (current, [input], [output]) => { output.v.i64 = current.inputBytes(input).length },
    write: (current, [input]) => { current.memory(input.v.i64).fill(255) },
    release: (current, [input]) => { current.memory(input.v.i64); current.memoryFree(input.v.i64) },
    give_back: (current, inputs, [output]) => { current.returnBytes(output, Buffer.alloc(random(200), 255)) }
  }
  const functions = Object.entries(BODIES).map(([name, body]) => new HostFunction(name, [ValType.I64], [ValType.I64], body))
  functions.push(memoryGet('get', new Store(), { missing: 'empty' }))
  const steps = CALLS.map((call, i) => '(if (i32.eq (local.get $op) (i32.const ' + i + ')) (then ' + call.replace('A', '(local.get $a)').replace('B', '(local.get $b)') + '))')
  const data = guest(\`
    (func (export "run") (local $at i64) (local $op i32) (local $a i64) (local $b i64)
      (loop $next
        (if (i64.lt_u (local.get $at) (call $input_length))
          (then
            (local.set $op (i32.wrap_i64 (call $input_load_u64 (local.get $at))))
            (local.set $a (call $input_load_u64 (i64.add (local.get $at) (i64.const 8))))
            (local.set $b (call $input_load_u64 (i64.add (local.get $at) (i64.const 16))))
            (local.set $at (i64.add (local.get $at) (i64.const 24)))
            \${steps.join(' ')}
            (br $next)))))
    (func (export "echo") (call $give (call $input)))\`, {
    user: '(import "extism:host/env" "http_request" (func $http (param i64 i64) (result i64)))' +
      functions.map(({ name }) => '(import USER "' + name + '" (func $' + name + ' (param i64) (result i64)))').join('')
  })
  const plugin = new Plugin({ wasm: [{ data }], memory: { max_pages: 200 } }, false, functions)

  let state = SEED
  const random = n => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * n)
  }
  const oneOf = list => list[random(list.length)]
  const HEADER = 12

  function program () {
    const count = 1 + random(14)
    const addresses = [65 + HEADER]
    let end = 65 + HEADER + count * 24
    const input = Buffer.alloc(count * 24)
    for (let step = 0; step < count; step++) {
      const op = random(3) === 0 ? 0 : random(CALLS.length)
      const near = () => BigInt(oneOf(addresses) + (random(4) ? 0 : oneOf([1, -1, 4, 8, -4, -8, -12, 12, 7, 16, 100])))
      let a = random(12) ? near() : oneOf([0n, -1n, 1n, 65n, 2n ** 32n, -(2n ** 63n), 2n ** 40n, 0xffffffffn])
      if (op === 0) {
        a = oneOf([0n, 1n, 7n, 8n, 9n, 24n, 100n, 128n, 129n, 1000n, 70_000n, -1n, 0xffffffffn, 0xfff00000n, 0x7fffffffn])
        if (a > 0n && a < 80_000n) {
          addresses.push(end + HEADER, end + HEADER + Number(a))
          end += HEADER + Number(a)
        }
      }
      const b = random(3) ? BigInt(random(40)) : oneOf([-1n, 0x0101010101010101n, 0xffffffff00000001n - 2n ** 64n, near(), 2n ** 32n])
      input.writeBigInt64LE(BigInt(op), step * 24)
      input.writeBigInt64LE(a, step * 24 + 8)
      input.writeBigInt64LE(b, step * 24 + 16)
    }
    return input
  }

  const codes = {}
  for (let i = 0; i < 1500; i++) {
    const input = program()
    const code = await plugin.call('run', input).then(() => 'none', error => error.code)
    codes[code] = (codes[code] ?? 0) + 1
    assert.equal((await plugin.call('echo', 'alive')).toString(), 'alive', input.toString('hex'))
    assert.match(code, /^none$|^ERR_EXTISM_(MEMORY|GUEST|TRAP|OUT_OF_MEMORY|HOST_FUNCTION)$/, input.toString('hex'))
  }
  console.log(JSON.stringify(codes))`

for (const seed of [1, 2]) {
  test(`random use of the environment, seed ${seed}, leaves a plugin that answers`, async t => {
    const { code, signal, stdout, stderr } = await run(SCRIPT.replace('SEED', seed))
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr)
    const codes = JSON.parse(stdout)
    t.diagnostic(stdout.trim())
    assert.ok(codes.none > 100 && codes.ERR_EXTISM_MEMORY > 100, stdout)
  })
}
