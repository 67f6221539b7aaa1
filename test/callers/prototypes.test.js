import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { prints, run } from '../helpers.js'

/** Makes a plugin in each API, whose \`ask\` gives its input back by way of JavaScript. */
const MAKE = `
  const code = guest('(func (export "ask") (call $give (call $answer (call $input)))) (func (export "trap") unreachable)', { user: '(import USER "answer" (func $answer (param i64) (result i64)))' })
  const I64 = [ValType.I64]
  const make = async () => [
    new Plugin(code, false, [new HostFunction('answer', I64, I64, async (current, inputs, outputs) => current.returnBytes(outputs[0], current.inputBytes(inputs[0])))]),
    await createPlugin(code, { functions: { 'extism:host/user': { answer: async (context, address) => context.store(context.read(address).bytes()) } } })
  ]
  const before = await make()`

describe('a program that changes the language it runs in', () => {
  const CHANGES = {
    'freezes everything': 'for (const type of [Object, Function, Array, Map, Promise, Error, Buffer, Uint8Array, Plugin, HostFunction, Store, Context, CurrentPlugin, ExtismError]) { Object.freeze(type); Object.freeze(type.prototype) }',
    'adds to all objects and arrays': "Object.prototype.added = () => {}; Array.prototype.added = 5; Object.prototype['__added__'] = null",
    'throws where a stack is printed': "Error.prepareStackTrace = () => { throw new Error('tampered') }; Error.stackTraceLimit = NaN",
    'has errors that say they are none': "Object.defineProperty(Error, Symbol.hasInstance, { value: () => { throw new Error('tampered') } })"
  }
  for (const [how, change] of Object.entries(CHANGES)) {
    test(`and ${how} is served as any`, () => prints(`
      ${MAKE}
      ${change}
      for (const plugin of [...before, ...await make()]) {
        for (let i = 0; i < 3; i++) {
          const output = await plugin.call('ask', 'text')
          if (asText(output) !== 'text') console.log('another text')
          const code = await plugin.call('trap').then(() => {}, error => error.code)
          if (code !== 'ERR_EXTISM_TRAP') console.log(code)
        }
      }
      console.log('done')`, 'done'))
  }
})

describe('a program that breaks the language it runs in gets errors of JavaScript, and no crash', () => {
  const boom = "() => { throw new Error('tampered') }"
  const BREAKS = {
    'Promise.prototype.then': `Promise.prototype.then = ${boom}`,
    'Map.prototype.get': `Map.prototype.get = ${boom}`,
    'then of all objects': `Object.defineProperty(Object.prototype, 'then', { get: ${boom} })`,
    'what failures are made of': `for (const key of ['code', 'cause', 'plugin', 'message', 'ticket']) Object.defineProperty(Object.prototype, key, { get: ${boom}, set: ${boom} })`,
    'Buffer and BigInt': `Buffer.from = Buffer.alloc = globalThis.BigInt = globalThis.Uint8Array = ${boom}`,
    'the prototype of Buffers': 'Object.setPrototypeOf(Buffer.prototype, null)',
    'the methods of CurrentPlugin': `for (const key of Reflect.ownKeys(CurrentPlugin.prototype)) CurrentPlugin.prototype[key] = ${boom}`
  }
  for (const [what, change] of Object.entries(BREAKS)) {
    test(`where that is ${what}`, async () => {
      const { code, signal, stdout } = await run(`
        ${MAKE}
        process.on('uncaughtException', () => {})
        process.on('unhandledRejection', () => {})
        const exit = process.exit.bind(process, 7)
        const calls = [() => before[0].call('ask', 'x'), () => before[1].call('ask', 'x'), () => before[0].call('trap'), () => before[0].callSync('ask', 'x'), () => before[1].callSync('trap'), make]
        let turns = 0
        const turn = () => { if (++turns < 200) setImmediate(turn); else exit() }
        process.stdout.write('broken')
        ${change}
        for (const call of calls) { try { call() } catch {} }
        turn()`)
      assert.deepEqual({ code, signal, stdout }, { code: 7, signal: null, stdout: 'broken' })
    })
  }
})
