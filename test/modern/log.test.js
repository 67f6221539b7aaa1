import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { guest, prints } from '../helpers.js'
import { USER, made, textOf } from './making.js'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error']
const SILENT = 0x7fffffff

/** `run` logs its input at every level, `level` gives the level as four bytes. */
const CODE = guest(`
  (func (export "run") (call $touch) ${['trace', 'debug', 'info', 'warn', 'error'].map(level => `(call $log_${level} (call $input))`).join(' ')})
  (func (export "level") (local $block i64)
    (call $touch)
    (local.set $block (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $block) (i64.extend_i32_u (call $level)))
    (call $give (local.get $block)))`, {
  user: `
    (import "extism:host/env" "log_trace" (func $log_trace (param i64)))
    (import "extism:host/env" "get_log_level" (func $level (result i32)))
    (import USER "touch" (func $touch))`
})

async function logging (t, options, touch = () => {}) {
  const lines = []
  const logger = Object.fromEntries(LEVELS.map(level => [level, text => lines.push([level, text])]))
  const plugin = await made(t, CODE, { logger, functions: { [USER]: { touch } }, ...options })
  return { plugin, lines }
}

describe('logger and logLevel', () => {
  for (const [i, level] of [...LEVELS, 'silent'].entries()) {
    test(`${level} lets pass what is there or above, and the plugin knows`, async t => {
      const { plugin, lines } = await logging(t, { logLevel: level })
      await plugin.call('run', 'tëxt')
      assert.deepEqual(lines, LEVELS.slice(i).map(each => [each, 'tëxt']))
      const number = (await plugin.call('level')).getInt32(0, true)
      assert.equal(number, level === 'silent' ? SILENT : i)
    })
  }

  test('by default nothing is logged', async t => {
    const { plugin, lines } = await logging(t, {})
    await plugin.call('run', 'x')
    assert.deepEqual(lines, [])
    assert.equal((await plugin.call('level')).getInt32(0, true), SILENT)
  })

  test('by default the logger is the console', () => prints(`
    const plugin = await createPlugin(Buffer.from(${JSON.stringify(CODE.toString())}), { logLevel: 'trace', functions: { '${USER}': { touch () {} } } })
    const lines = []
    for (const level of ['trace', 'debug', 'info', 'warn', 'error']) console[level] = text => lines.push(level + text)
    await plugin.call('run', '!')
    await plugin.close()
    console.log(lines.join(' '))`, 'trace! debug! info! warn! error!'))

  test('callSync logs as well', async t => {
    const { plugin, lines } = await logging(t, { logLevel: 'warn' })
    plugin.callSync('run', 'x')
    await plugin.call('level')
    assert.deepEqual(lines, [['warn', 'x'], ['error', 'x']])
  })

  test('a logger may lack methods, and has its own this', async t => {
    const lines = []
    const logger = { prefix: '> ', info (text) { lines.push(this.prefix + text) } }
    const { plugin } = await logging(t, { logLevel: 'trace', logger })
    await plugin.call('run', 'x')
    assert.deepEqual(lines, ['> x'])
  })

  test('lines come in order, before the call is over', async t => {
    const { plugin, lines } = await logging(t, { logLevel: 'error' })
    for (let i = 0; i < 50; i++) {
      await plugin.call('run', `${i}`)
      assert.deepEqual(lines.at(-1), ['error', `${i}`])
    }
    assert.equal(lines.length, 50)
  })

  test('a message that is no block is not logged', async t => {
    const lines = []
    const code = guest('(func (export "run") (call $log_error (i64.const 0x100000)) (call $give (call $input)))')
    const plugin = await made(t, code, { logLevel: 'trace', logger: { error: text => lines.push(text) } })
    assert.equal(await textOf(plugin.call('run', 'usable')), 'usable')
    assert.deepEqual(lines.filter(line => !line.startsWith('failed to log(error): bad block reference')), [])
  })

  test('a message at the address 0, where a text of no bytes is, is an empty line', async t => {
    const lines = []
    const code = guest('(func (export "run") (call $log_error (i64.const 0)) (call $log_error (call $alloc (i64.const 0))) (call $log_error (call $input)))')
    const plugin = await made(t, code, { logLevel: 'trace', logger: { error: text => lines.push(text) } })
    await plugin.call('run', 'text')
    assert.deepEqual(lines, ['', '', 'text'])
  })
})

describe('context.logLevel', () => {
  test('is the level, and sets it from then on', async t => {
    const seen = []
    let level
    const { plugin, lines } = await logging(t, { logLevel: 'error' }, context => {
      seen.push(context.logLevel)
      if (level) context.logLevel = level
    })
    await plugin.call('run', 'a')
    level = 'warn'
    await plugin.call('run', 'b')
    assert.equal((await plugin.call('level')).getInt32(0, true), 3)
    level = 'silent'
    await plugin.call('run', 'c')
    assert.deepEqual(lines, [['error', 'a'], ['warn', 'b'], ['error', 'b']])
    assert.deepEqual(seen, ['error', 'error', 'warn', 'warn'])
  })

  test('takes no other word', async t => {
    const { plugin } = await logging(t, {}, context => {
      for (const level of ['loud', '', undefined, 3]) {
        assert.throws(() => { context.logLevel = level }, {
          name: 'TypeError',
          message: `unrecognized log level "${level}"; expected one of "trace", "debug", "info", "warn", "error", "silent"`
        })
      }
      assert.equal(context.logLevel, 'silent')
    })
    await plugin.call('run')
  })
})
