import { describe, test } from 'node:test'
import { prints } from '../helpers.js'

/**
 * A module for V8, in binary: `unreachable`, `divide` by zero, `overflow` of the stack, and `load`
 * of what is out of bounds. Its traps and those of plugins are signals of the same kinds.
 */
const V8 = `
  const code = (...bytes) => [bytes.length + 2, 0, ...bytes, 0x0b]
  const name = (text, index) => [text.length, ...Buffer.from(text), 0, index]
  const section = (id, ...bytes) => [id, bytes.length, ...bytes]
  const module = new WebAssembly.Module(new Uint8Array([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, 1, 0x60, 0, 1, 0x7f),
    ...section(3, 4, 0, 0, 0, 0),
    ...section(5, 1, 0, 1),
    ...section(7, 4, ...name('unreachable', 0), ...name('divide', 1), ...name('overflow', 2), ...name('load', 3)),
    ...section(10, 4, ...code(0), ...code(0x41, 1, 0x41, 0, 0x6d), ...code(0x10, 2), ...code(0x41, 0x7f, 0x28, 2, 0))
  ]))
  const v8 = new WebAssembly.Instance(module).exports
  const MESSAGES = { unreachable: /unreachable/, divide: /divide by zero/, overflow: /call stack/, load: /out of bounds/ }
  const inV8 = name => assert.throws(v8[name], error => MESSAGES[name].test(error.message))`

const GUEST = `
  const text = '(module (memory (export "memory") 1) (func (export "unreachable") unreachable)' +
    '(func (export "divide") (drop (i32.div_s (i32.const 1) (i32.const 0))))' +
    '(func $overflow (export "overflow") (call $overflow))' +
    '(func (export "load") (drop (i32.load (i32.const -1)))) (func (export "served")))'
  const trapped = { code: 'ERR_EXTISM_TRAP' }`

const NAMES = `['unreachable', 'divide', 'overflow', 'load']`

describe('traps of V8 and of plugins', () => {
  for (const [when, before, after] of [['before', 'inV8(name)', ''], ['after', '', 'inV8(name)'], ['before and after', 'inV8(name)', 'inV8(name)']]) {
    test(`keep apart, with those of V8 ${when} those of a plugin`, () => prints(`
      ${V8}
      for (const name of ${NAMES}) { ${before} }
      ${GUEST}
      const plugin = new Plugin(wat(text))
      for (let i = 0; i < 5; i++) {
        for (const name of ${NAMES}) {
          ${before}
          assert.throws(() => plugin.callSync(name), trapped)
          ${after}
          await assert.rejects(plugin.call(name), trapped)
          ${after}
        }
      }
      await plugin.call('served')
      console.log('served')`, 'served'))
  }

  test('keep apart, where a host function runs code in V8 that traps', () => prints(`
    ${V8}
    ${GUEST}
    const trap = new HostFunction('trap', [], [], () => { for (const name of ${NAMES}) inV8(name) })
    const pass = new HostFunction('pass', [], [], () => v8.unreachable())
    const other = new Plugin(wat(text))
    const plugin = new Plugin(guest('(func (export "run") (call $trap)) (func (export "trap") (call $trap) unreachable) (func (export "pass") (call $pass))', {
      user: '(import USER "trap" (func $trap)) (import USER "pass" (func $pass))'
    }), false, [trap, pass])
    for (let i = 0; i < 5; i++) {
      plugin.callSync('run')
      assert.throws(() => plugin.callSync('trap'), trapped)
      assert.throws(() => plugin.callSync('pass'), error => error.cause instanceof WebAssembly.RuntimeError)
      await plugin.call('run')
      await assert.rejects(plugin.call('trap'), trapped)
      await assert.rejects(plugin.call('pass'), error => error.cause instanceof WebAssembly.RuntimeError)
      for (const name of ${NAMES}) assert.throws(() => other.callSync(name), trapped)
    }
    plugin.callSync('run')
    console.log('served')`, 'served'))

  test('keep apart in several threads at the same time', () => prints(`
    const work = \`
      const { parentPort, workerData } = require('node:worker_threads')
      const assert = require('node:assert/strict')
      import(workerData).then(async ({ Plugin }) => {
        const wat = text => Buffer.from(text)
        \${${JSON.stringify(V8)}}
        \${${JSON.stringify(GUEST)}}
        const plugin = new Plugin(wat(text))
        for (let i = 0; i < 20; i++) {
          for (const name of \${${JSON.stringify(NAMES)}}) {
            inV8(name)
            assert.throws(() => plugin.callSync(name), trapped)
            const call = assert.rejects(plugin.call(name), trapped)
            inV8(name)
            await call
          }
        }
        parentPort.postMessage('trapped')
      })\`
    const workers = Array.from({ length: 3 }, () => new Worker(work, { eval: true, execArgv: [], workerData: ${JSON.stringify(new URL('../../index.js', import.meta.url))} }))
    const said = Promise.all(workers.map(worker => once(worker, 'message')))
    const ended = Promise.all(workers.map(worker => once(worker, 'exit')))
    ${V8}
    ${GUEST}
    const plugin = new Plugin(wat(text))
    for (let i = 0; i < 20; i++) {
      for (const name of ${NAMES}) {
        inV8(name)
        await assert.rejects(plugin.call(name), trapped)
      }
    }
    console.log(String(await said))
    console.log(String(await ended))
    await plugin.call('served')`, ['trapped,trapped,trapped', '0,0,0']))
})

describe('recursion in JavaScript', () => {
  test('down to where there is no stack left is an error, also around callSync', () => prints(`
    const plugin = new Plugin(pluginBytes('modern.wat'))
    const codes = new Set()
    const deeper = () => {
      try { deeper() } catch (error) { codes.add(error.code ?? error.name) }
      try { assert.equal(String(plugin.callSync('echo', 'x')), 'x') } catch (error) { codes.add(error.code ?? error.name) }
    }
    for (let i = 0; i < 3; i++) {
      assert.equal(String(plugin.callSync('echo', 'before')), 'before')
      deeper()
      for (const name of ['trap', 'recurse']) assert.throws(() => plugin.callSync(name), { code: 'ERR_EXTISM_TRAP' })
    }
    console.log(codes.has('RangeError'))
    console.log(String(await plugin.call('echo', 'after')))`, ['true', 'after']))

  test('through plugins that call each other by their host functions ends the same way', () => prints(`
    const [plugins, outcomes] = [[], new Set()]
    const deeper = new HostFunction('deeper', [], [], () => {
      if (plugins.length > 200) return
      const plugin = made()
      try { plugin.callSync('run') } catch (error) { outcomes.add(error.code ?? error.name) }
    })
    const made = () => {
      const plugin = new Plugin(guest('(func (export "run") (call $deeper))', { user: '(import USER "deeper" (func $deeper))' }), false, [deeper])
      plugins.push(plugin)
      return plugin
    }
    made().callSync('run')
    for (const outcome of outcomes) assert.match(outcome, /^(ERR_EXTISM_|RangeError)/)
    plugins[0].callSync('run')
    await plugins[0].call('run')
    console.log('served')`, 'served'))
})
