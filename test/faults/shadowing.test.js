import { describe, test } from 'node:test'
import { prints } from '../helpers.js'

/** What the kernel exports, beside its memory. */
const KERNEL = {
  alloc: '(param i64) (result i64)',
  free: '(param i64)',
  length: '(param i64) (result i64)',
  length_unsafe: '(param i64) (result i64)',
  load_u8: '(param i64) (result i32)',
  load_u64: '(param i64) (result i64)',
  store_u8: '(param i64 i32)',
  store_u64: '(param i64 i64)',
  input_set: '(param i64 i64)',
  input_offset: '(result i64)',
  input_length: '(result i64)',
  input_load_u8: '(param i64) (result i32)',
  input_load_u64: '(param i64) (result i64)',
  output_set: '(param i64 i64)',
  output_offset: '(result i64)',
  output_length: '(result i64)',
  error_set: '(param i64)',
  error_get: '(result i64)',
  memory_bytes: '(result i64)',
  reset: ''
}
const exporting = make => Object.entries(KERNEL).map(([name, type]) => make(`(export "${name}")`, type)).join('\n')

/** Runs a script in a process of its own that has a neighbour, which serves in the end. */
function survives (script) {
  return prints(`
    const neighbour = new Plugin(pluginBytes('modern.wat'))
    const SERVE = '(func (export "serve") (call $give (call $input))) (func (export "refuse") (result i32) (call $fail (call $input)))'
    const serves = async plugin => {
      for (const input of ['one', 'two']) {
        assert.equal(asText(await plugin.call('serve', input)), input)
        await assert.rejects(plugin.call('refuse', input), { code: 'ERR_EXTISM_GUEST', message: new RegExp(input) })
      }
    }
    ${script}
    console.log(String(await neighbour.call('echo', 'served')))`, 'served')
}

describe('exports with the names of the kernel do no harm', () => {
  const EXPORTS = {
    'where they are functions of the same types': exporting((name, type) => `(func ${name} ${type} unreachable)`),
    'where they are functions of other types': exporting(name => `(func ${name} (param f32 v128) (result f64) unreachable)`),
    'where they are functions that can be called': exporting(name => `(func ${name})`),
    'where they are globals': exporting(name => `(global ${name} (mut i64) (i64.const 5))`),
    'where they are memories': exporting(name => `(memory ${name} 1)`),
    'where they are tables': exporting(name => `(table ${name} 1 funcref)`)
  }
  for (const [where, exports] of Object.entries(EXPORTS)) {
    test(where, () => survives(`
      for (const era of Object.keys(ERAS)) {
        const data = guest(SERVE + ${JSON.stringify(exports)}, { era })
        for (const plugin of [await createPlugin(data), new Plugin(data)]) {
          await serves(plugin)
          // They are the plugin's own, whatever comes of calling them.
          for (const name of ['alloc', 'reset', 'output_set']) await plugin.call(name, 'input').catch(error => assert.ok(error.code.startsWith('ERR_EXTISM_'), error))
          await serves(plugin)
          await plugin.close()
        }
      }`))
  }

  test('where "memory" is none', () => survives(`
    for (const memory of ['(func (export "memory") unreachable)', '(global (export "memory") i32 (i32.const 1))', '(table (export "memory") 1 funcref)', '']) {
      const data = wat(String(guest(SERVE)).replace('(memory (export "memory") 1)', '(memory 1) ' + memory))
      for (const plugin of [await createPlugin(data), new Plugin(data)]) {
        await serves(plugin)
        await plugin.close()
      }
    }`))

  test('where another module has them, which answers those who import it', () => survives(`
    const library = { name: 'library', data: wat(${JSON.stringify(`(module ${exporting((name, type) => `(func ${name} ${type} unreachable)`)} (func (export "seven") (result i64) (i64.const 7)))`)}) }
    const user = '(import "library" "reset" (func $reset)) (import "library" "alloc" (func $other (param i64) (result i64))) (import "library" "seven" (func $seven (result i64)))'
    const main = { name: 'main', data: guest(SERVE + '(func (export "alone") (drop (call $seven))) (func (export "other") (drop (call $other (i64.const 1))))', { user }) }
    const manifest = { wasm: [library, main] }
    for (const plugin of [await createPlugin(manifest), new Plugin(manifest)]) {
      await plugin.call('alone')
      await assert.rejects(plugin.call('other'), { code: 'ERR_EXTISM_TRAP' })
      await serves(plugin)
      await plugin.close()
    }`))
})

const NAMES = ['memory', 'alloc', 'reset', 'input_offset', 'output_offset', 'error_offset', 'output_set', 'store_u8']

describe('host functions with the names of the kernel answer whoever imports them, and nobody else', () => {
  for (const namespace of ['extism:host/env', 'env', 'extism:host/user']) {
    test(`in ${namespace}`, () => survives(`
      const namespace = '${namespace}'
      // What a guest of 2023 imports from the environment has other names.
      const guests = name => [
        guest('(func (export "ask") (if (i64.ne (call $mine) (i64.const 7)) (then unreachable)))' + SERVE, { era: '2023', user: '(import "' + namespace + '" "' + name + '" (func $mine (result i64)))' }),
        guest('(func (export "ask"))' + SERVE, { era: '2023' })
      ]
      for (const name of ${JSON.stringify(NAMES)}) {
        for (const data of guests(name)) {
          const seven = new HostFunction(name, [], [ValType.I64], (current, inputs, outputs) => { outputs[0].v.i64 = 7 })
          for (const plugin of [await createPlugin(data, { functions: { [namespace]: { [name]: () => 7n } } }), new Plugin(data, false, [seven.withNamespace(namespace)])]) {
            await plugin.call('ask')
            plugin.callSync('ask')
            await serves(plugin)
            await plugin.close()
          }
        }
      }`))
  }

  test('of a plugin that has them for its environment, which fails by itself', () => survives(`
    const data = guest(SERVE)
    const ends = [['alloc', () => 7n], ['alloc', () => -1n], ['length', () => 1n << 40n], ['input_length', () => 1n << 40n], ['output_set', () => {}]]
    for (const [name, f] of ends) {
      const plugin = await createPlugin(data, { functions: { 'extism:host/env': { [name]: f } } })
      for (let i = 0; i < 2; i++) {
        const end = await plugin.call('serve', 'input').catch(error => error.code)
        assert.equal(end, name === 'output_set' ? null : 'ERR_EXTISM_MEMORY', name)
      }
      await plugin.close()
    }`))

  test('of other types than the plugin imports are refused in the API of 2023', () => survives(`
    for (const name of ['alloc', 'output_set', 'store_u8']) {
      const mine = new HostFunction(name, [], [ValType.I64], () => {}).withNamespace('extism:host/env')
      assert.throws(() => new Plugin(guest(SERVE), false, [mine]), { code: 'ERR_EXTISM_LINK', message: new RegExp('"extism:host/env" "' + name + '"') })
    }
    const kept = new HostFunction('alloc', [ValType.I64], [ValType.I64], (current, [length], outputs) => { outputs[0].v.i64 = current.memoryAlloc(length.v.i64) }).withNamespace('extism:host/env')
    await serves(new Plugin(guest(SERVE), false, [kept]))`))
})
