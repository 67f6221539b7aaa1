import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import vm from 'node:vm'
import { guest, wat } from '../helpers.js'
import { USER, asking, made, textOf } from './making.js'

const failing = call => call.then(output => assert.fail(`it gave ${output?.text()}`), error => error)

describe('an error of the plugin', () => {
  test('rejects with its text, and with the code it returned', async t => {
    const plugin = await asking(t)
    const error = await failing(plugin.call('refuse', 'too läte'))
    assert.equal(error.message, 'Plugin-originated error: too läte')
    assert.deepEqual([error.name, error.code, error.function, error.exitCode], ['ExtismError', 'ERR_EXTISM_GUEST', 'refuse', 1])
    assert.throws(() => plugin.callSync('refuse', 'too läte'), { message: error.message })
  })

  test('counts more than an output, and than a code of 0', async t => {
    const plugin = await asking(t)
    await assert.rejects(plugin.call('complain', 'x'), { message: 'Plugin-originated error: x' })
    assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
  })

  test('can be read by the plugin, and taken back', async t => {
    const plugin = await made(t, guest(`(func (export "run")
      (call $error_set (call $input)) (call $give (call $error_get)) (call $error_set (i64.const 0)))`, {
      user: '(import "extism:host/env" "error_get" (func $error_get (result i64)))'
    }))
    assert.equal(await textOf(plugin.call('run', 'withdrawn')), 'withdrawn')
  })
})

describe('a trap', () => {
  const TRAPS = {
    unreachable: ['unreachable', 'unreachable'],
    division: ['(drop (i32.div_s (i32.const 1) (i32.const 0)))', 'divide by zero'],
    address: ['(drop (i32.load (i32.const -1)))', 'memory access out of bounds']
  }
  const CODE = guest(Object.entries(TRAPS).map(([name, [code]]) => `(func (export "${name}") ${code})`).join('') + '(func (export "echo") (call $give (call $input)))')

  for (const name of Object.keys(TRAPS)) {
    test(`is a RuntimeError that tells where it was: ${name}`, async t => {
      const plugin = await made(t, CODE)
      const error = await failing(plugin.call(name))
      assert.ok(error instanceof WebAssembly.RuntimeError)
      assert.deepEqual([error.code, error.function], ['ERR_EXTISM_TRAP', name])
      assert.equal(typeof error.backtrace, 'string')
      assert.throws(() => plugin.callSync(name), thrown => thrown instanceof WebAssembly.RuntimeError && thrown.message === error.message)
      assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
    })

    test(`has the words of V8: ${name}`, async t => {
      const plugin = await made(t, CODE)
      await assert.rejects(plugin.call(name), { message: TRAPS[name][1] })
    })
  }

  test('of a stack that overflows is one, too', async t => {
    const plugin = await made(t, wat('(module (func $f (export "run") (call $f)))'))
    await assert.rejects(plugin.call('run'), error => error instanceof WebAssembly.RuntimeError && error.code === 'ERR_EXTISM_TRAP')
  })
})

describe('what a host function throws', () => {
  class Own extends TypeError {}
  const ERRORS = {
    'an Error': new Error('boom'),
    'an Error of a class': new Own('boom'),
    'an Error of another realm': vm.runInNewContext('new RangeError("boom")')
  }
  for (const [form, thrown] of Object.entries(ERRORS)) {
    test(`rejects the call, the very same: ${form}`, async t => {
      for (const f of [() => { throw thrown }, async () => { throw thrown }]) {
        const plugin = await asking(t, f)
        assert.equal(await failing(plugin.call('ask')), thrown)
        assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
      }
      const plugin = await asking(t, () => { throw thrown })
      assert.throws(() => plugin.callSync('ask'), error => error === thrown)
    })
  }

  test('is behind an ExtismError if it is no Error', async t => {
    for (const thrown of ['text', 5, null, { a: 1 }, Symbol('x')]) {
      const plugin = await asking(t, () => { throw thrown })
      const error = await failing(plugin.call('ask'))
      assert.ok(error instanceof Error)
      assert.deepEqual([error.name, error.code, error.cause], ['ExtismError', 'ERR_EXTISM_HOST_FUNCTION', thrown])
    }
  })

  test('counts more than an error that was set before', async t => {
    const thrown = new Error('boom')
    const plugin = await asking(t, context => {
      context.setError('set')
      throw thrown
    })
    assert.equal(await failing(plugin.call('ask')), thrown)
    assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
  })
})

describe('a plugin that goes wrong with blocks', () => {
  const USES = {
    'stores outside of them': '(call $store_u8 (i64.const 0x100000) (i32.const 1))',
    'gives an output that is none': '(call $output_set (i64.const 0x100000) (i64.const 5))',
    'gives an output longer than its block': '(call $output_set (call $alloc (i64.const 4)) (i64.const 5))',
    'gives an error that is none': '(call $error_set (i64.const 0x100000))',
    'sets a variable to none': '(call $var_set (call $input) (i64.const 0x100000))',
    'names a variable with none': '(drop (call $var_get (i64.const 0x100000)))'
  }
  for (const [use, code] of Object.entries(USES)) {
    test(`fails if it ${use}`, async t => {
      const plugin = await made(t, guest(`(func (export "run") ${code}) (func (export "echo") (call $give (call $input)))`))
      await assert.rejects(plugin.call('run', 'input'), { name: 'ExtismError', code: 'ERR_EXTISM_MEMORY' })
      assert.equal(await textOf(plugin.call('echo', 'usable')), 'usable')
    })
  }

  test('gives exactly as many bytes as it says', async t => {
    const plugin = await made(t, guest('(func (export "run") (call $output_set (call $alloc (i64.const 100)) (i64.const 10)))'))
    assert.equal((await plugin.call('run')).byteLength, 10)
  })

  test('may import the same host function with several signatures', async t => {
    const seen = []
    const plugin = await made(t, guest('(func (export "run") (call $a (i32.const 1)) (call $b (i64.const 2)))', {
      user: '(import USER "f" (func $a (param i32))) (import USER "f" (func $b (param i64)))'
    }), { functions: { [USER]: { f: (context, value) => { seen.push(value) } } } })
    await plugin.call('run')
    assert.deepEqual(seen, [1, 2n])
  })
})
