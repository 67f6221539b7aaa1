import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Plugin, createPlugin } from '../../index.js'
import { guest, prints, run } from '../helpers.js'

/** The name of a C++ function that says itself over and over: readable, it has as many characters as `width` to the power of `depth`. */
const GROWING = `
  const place = i => i === 0 ? 'S_' : 'S' + (i - 1).toString(36).toUpperCase() + '_'
  const growing = (width, depth) => {
    let name = '_Z1f1AIiiE'
    for (let i = 1; i < depth; i++) name += 'S_I' + place(i).repeat(width) + 'E'
    return name
  }
  const trapping = name => Buffer.from('(module (func $' + name + ' (param i32)' +
    '(if (i32.gt_u (local.get 0) (i32.const 30)) (then unreachable)) (call 0 (i32.add (local.get 0) (i32.const 1))))' +
    '(func (export "run") (call 0 (i32.const 0))))')
  const neighbour = new Plugin(pluginBytes('modern.wat'))`

describe('a trap in functions with names that grow without end when they are made readable', () => {
  for (const [width, depth] of [[20, 6], [16, 12]]) {
    test(`is an error like any other: ${width} to the power of ${depth}`, () => prints(`${GROWING}
      const plugin = await createPlugin(trapping(growing(${width}, ${depth})), { timeoutMs: 5_000 })
      const fail = () => plugin.call('run').catch(error => error)
      for (const error of [await fail(), await fail()]) console.log(error.code, error.backtrace.length <= 1 << 16)
      console.log(String(await neighbour.call('echo', 'served')))`, [
      'ERR_EXTISM_TRAP true', 'ERR_EXTISM_TRAP true', 'served'
    ]))
  }

  test('is cut where names are long', () => prints(`${GROWING}
    const plugin = await createPlugin(trapping('ab'.repeat(45_000)))
    const { backtrace } = await plugin.call('run').catch(error => error)
    console.log(backtrace.length, backtrace.split('\\n').length)`, '65536 1'))

  test('has the others, as they are called in their language', () => prints(`${GROWING}
    const plugin = await createPlugin(trapping('_ZN4main5serve17h0123456789abcdefE'))
    const { backtrace } = await plugin.call('run').catch(error => error)
    const lines = backtrace.trimEnd().split('\\n')
    console.log(lines.length, lines.every(line => line.endsWith('main::serve')))`, '20 true'))
})

test('a trap names the functions it went through, the innermost first', async () => {
  const code = guest(`
    (func $innermost unreachable)
    (func $between (param i32) (if (local.get 0) (then (call $between (i32.sub (local.get 0) (i32.const 1)))) (else (call $innermost))))
    (func $outermost (export "run") (call $between (i32.const 2)))
    (func $quotient (export "divide") (drop (i32.div_s (i32.const 1) (i32.const 0))))`)
  for (const plugin of [new Plugin(code), await createPlugin(code)]) {
    const names = ({ backtrace }) => backtrace.trimEnd().split('\n').map(line => line.split('!').at(-1))
    for (const call of [name => plugin.call(name), async name => plugin.callSync(name)]) {
      assert.deepEqual(await call('run').catch(names), ['innermost', ...Array(3).fill('between'), 'outermost'])
      assert.deepEqual(await call('divide').catch(names), ['quotient'])
    }
    await plugin.close()
  }
})

test('errors are the same whatever RUST_BACKTRACE says', async () => {
  const script = `
    const code = guest('(func $inner unreachable) (func (export "trap") (call $inner)) (func (export "fail") (result i32) (call $fail (call $input))) (func (export "throw") (call $throw))', { user: '(import USER "throw" (func $throw))' })
    const host = new HostFunction('throw', [], [], () => { throw new Error('of the host') })
    const broken = async () => { throw Object.assign(new Error(), await createPlugin(wat('(module (func (result i32)))')).catch(({ code, message }) => ({ code, text: message }))) }
    const made = await createPlugin(code, { functions: { 'extism:host/user': { throw: () => { throw new Error('of the host') } } } })
    const plugin = new Plugin(code, false, [host])
    for (const failing of [...['trap', 'fail', 'throw'].flatMap(name => [() => plugin.call(name, 'x'), () => made.call(name, 'x')]), broken]) {
      const { name, code, message, text, backtrace } = await failing().catch(error => error)
      console.log(JSON.stringify({ name, code, message, text, backtrace }))
    }`
  const [plain, ...others] = await Promise.all([{ RUST_BACKTRACE: '0' }, { RUST_BACKTRACE: '1' }, { RUST_BACKTRACE: 'full', RUST_LIB_BACKTRACE: '1' }].map(env => run(script, { env })))
  assert.equal(plain.code, 0, plain.stderr)
  assert.equal(plain.stdout.trim().split('\n').length, 7)
  for (const other of others) assert.deepEqual(other, plain)
})
