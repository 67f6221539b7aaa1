import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { run } from './helpers.js'

const MIB = 1 << 20

/**
 * By how much a process grows while it does `work` `count` times, after it has done so often
 * enough to have all it needs.
 */
async function growth (setUp, work, count, warmUp = count / 5) {
  const { code, signal, stdout, stderr } = await run(`
    ${setUp}
    const resident = async () => {
      for (let i = 0; i < 5; i++) {
        gc()
        await new Promise(setImmediate)
      }
      return process.memoryUsage.rss()
    }
    const repeat = async n => {
      for (let i = 0; i < n; i++) { ${work} }
    }
    await repeat(${warmUp})
    const before = await resident()
    await repeat(${count})
    console.log(await resident() - before)`, { flags: ['--expose-gc'] })
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr)
  return Number(stdout)
}

describe('memory is flat', () => {
  test('over 100,000 calls', async () => {
    const grown = await growth("const plugin = new Plugin(pluginBytes('modern.wat')); const input = Buffer.alloc(128)", "await plugin.call('echo', input)", 100_000)
    assert.ok(grown < 16 * MIB, `it grew by ${grown} bytes`)
  })

  test('over calls of a host function, synchronous and async', async () => {
    const grown = await growth(`
      const bodies = [(current, inputs, outputs) => current.returnBytes(outputs[0], current.inputBytes(inputs[0]))]
      bodies.push(async (...args) => bodies[0](...args))
      const code = guest('(func (export "run") (call $give (call $second (call $first (call $input)))))', {
        user: '(import USER "first" (func $first (param i64) (result i64))) (import USER "second" (func $second (param i64) (result i64)))'
      })
      const plugin = new Plugin(code, false, ['first', 'second'].map((name, i) => new HostFunction(name, [ValType.I64], [ValType.I64], bodies[i])))`,
    "await plugin.call('run', 'input')", 10_000)
    assert.ok(grown < 16 * MIB, `it grew by ${grown} bytes`)
  })

  test('over calls that fail, in every way', async () => {
    const grown = await growth(`
      const fail = new HostFunction('fail', [], [], () => { throw new Error('x'.repeat(1000)) })
      const code = guest('(func (export "trap") unreachable) (func (export "refuse") (result i32) (call $fail (call $input))) (func (export "host") (call $thrown))', { user: '(import USER "fail" (func $thrown))' })
      const plugin = new Plugin(code, false, [fail])`,
    "for (const name of ['trap', 'refuse', 'host', 'absent']) await plugin.call(name, 'x').catch(() => {})", 1_000)
    assert.ok(grown < 16 * MIB, `it grew by ${grown} bytes`)
  })

  test('over reads of a store by a plugin', async () => {
    const grown = await growth(`
      const store = new Store([['key', Buffer.alloc(1024)]])
      const code = guest('(func (export "run") (call $give (call $get (call $input))))', { user: '(import USER "get" (func $get (param i64) (result i64)))' })
      const plugin = new Plugin(code, false, [memoryGet('get', store)])`,
    "store.set('key', Buffer.alloc(1024, i)); await plugin.call('run', 'key')", 20_000)
    assert.ok(grown < 16 * MIB, `it grew by ${grown} bytes`)
  })

  test('over plugins that are made and freed', async () => {
    const grown = await growth("const code = pluginBytes('modern.wat')", "const plugin = new Plugin(code); await plugin.call('echo', 'x'); plugin.free()", 150, 100)
    assert.ok(grown < 16 * MIB, `it grew by ${grown} bytes`)
  })

  test('over plugins that are made and forgotten', async () => {
    const grown = await growth("const code = pluginBytes('modern.wat')", "await new Plugin(code).call('echo', 'x'); if (i % 10 === 0) { gc(); await new Promise(setImmediate) }", 150, 100)
    assert.ok(grown < 16 * MIB, `it grew by ${grown} bytes`)
  })
})

test('plugins that nobody holds are collected', async () => {
  const { code, signal, stdout, stderr } = await run(`
    const make = async () => {
      const plugin = new Plugin(pluginBytes('modern.wat'))
      await plugin.call('echo', 'x')
      return new WeakRef(plugin)
    }
    const refs = []
    for (let i = 0; i < 20; i++) refs.push(await make())
    // What deref has given lives until the end of its turn of the event loop.
    for (let i = 0; i < 100 && refs.some(ref => ref.deref()); i++) {
      await new Promise(setImmediate)
      gc()
      await new Promise(setImmediate)
    }
    console.log(refs.filter(ref => ref.deref()).length)`, { flags: ['--expose-gc'] })
  assert.deepEqual({ code, signal, stdout: stdout.trim() }, { code: 0, signal: null, stdout: '0' }, stderr)
})
