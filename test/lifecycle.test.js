import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { HostFunction, Plugin } from '../index.js'
import { guest, pluginBytes, prints, run, signal } from './helpers.js'

/** Makes plugins that say that they have started, and then never end. */
const SPINNING = `
  const spinning = () => {
    const [started, start] = signal()
    const code = guest('(func (export "spin") (call $started) (loop $again (br $again)))', { user: '(import USER "started" (func $started))' })
    const plugin = new Plugin(code, false, [new HostFunction('started', [], [], start)])
    return { plugin, started }
  }`

/** A plugin whose \`work\` loops for a while, without anybody's help, and then echoes. */
const WORKING = `
  const working = () => new Plugin(guest(\`(func (export "work") (local $i i64)
    (loop $again
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $again (i64.lt_u (local.get $i) (i64.const 100000000))))
    (call $give (call $input)))
    (func (export "fail") (result i32) (local $i i64)
    (loop $again
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $again (i64.lt_u (local.get $i) (i64.const 100000000))))
    (i32.const 5))\`))`

describe('a process ends by itself with plugins left open', () => {
  test('that have never been called', () => prints(`
    new Plugin(pluginBytes('modern.wat'))
    new Context().plugin(pluginBytes('2023.wat'))
    console.log('end')`, 'end'))

  test('that have been called', () => prints(`
    globalThis.kept = Array.from({ length: 5 }, () => new Plugin(pluginBytes('modern.wat')))
    for (const plugin of kept) console.log((await plugin.call('echo', 'called')).toString())
    await kept[0].call('trap').catch(error => console.log(error.code))`, [...Array(5).fill('called'), 'ERR_EXTISM_TRAP']))

  test('that have host functions and a store', () => prints(`
    const hear = new HostFunction('hear', [], [], async () => console.log('heard'))
    const code = guest('(func (export "run") (call $hear))', { user: '(import USER "hear" (func $hear))' })
    globalThis.kept = new Plugin(code, false, [hear, memoryGet('get', new Store())])
    await kept.call('run')`, 'heard'))

  test('and with a cancel handle, a log file and a timeout to come', () => prints(`
    setLogFile('/dev/null')
    globalThis.kept = new Plugin({ wasm: [{ data: pluginBytes('modern.wat') }], timeout_ms: 3_600_000 })
    globalThis.handle = kept.cancelHandle()
    await kept.call('log', 'x')
    console.log('end')`, 'end'))

  test('right after freeing them', () => prints(`
    const ctx = new Context()
    for (let i = 0; i < 5; i++) ctx.plugin(pluginBytes('modern.wat')).call('echo', 'x').then(output => console.log(output.toString()))
    ctx.free()`, Array(5).fill('x')))
})

describe('a process waits', () => {
  test('for a call that runs', () => prints(`
    ${WORKING}
    working().call('work', 'finished').then(output => console.log(output.toString()))
    console.log('waiting')`, ['waiting', 'finished']))

  test('for a call that will fail', () => prints(`
    ${WORKING}
    working().call('fail').catch(error => console.log(error.code))`, 'ERR_EXTISM_EXIT'))

  test('for a call that waits for a host function, until its timeout', () => prints(`
    const never = new HostFunction('never', [], [], () => new Promise(() => {}))
    const data = guest('(func (export "wait") (call $never))', { user: '(import USER "never" (func $never))' })
    new Plugin({ wasm: [{ data }], timeout_ms: 100 }, false, [never]).call('wait').catch(error => console.log(error.code))`, 'ERR_EXTISM_TIMEOUT'))

  test('for calls of plugins that nobody holds any longer, which settle as any', () => prints(`
    ${WORKING}
    let waiting = true
    const promise = working().call('fail').catch(error => console.log(error.message.startsWith('Plugin error: '), error.exitCode)).finally(() => { waiting = false })
    while (waiting) {
      gc()
      await new Promise(setImmediate)
    }`, 'true 5', { flags: ['--expose-gc'] }))
})

describe('in the middle of a call that spins', () => {
  test('process.exit ends the process with its code', async () => {
    const { code, signal, stderr } = await run(`
      ${SPINNING}
      const plugins = [spinning(), spinning(), spinning()]
      for (const { plugin } of plugins) plugin.call('spin')
      await Promise.all(plugins.map(({ started }) => started))
      process.exit(7)`)
    assert.deepEqual({ code, signal }, { code: 7, signal: null }, stderr)
  })

  for (const [how, body, call] of [
    ['', '() => process.exit(8)', "await plugin.call('run')"],
    [' that is async', 'async () => { await null; process.exit(8) }', "await plugin.call('run')"],
    [' of callSync', '() => process.exit(8)', "plugin.callSync('run')"],
    [', after calls that wait', '() => process.exit(8)', "for (let i = 0; i < 100; i++) plugin.call('run').catch(() => {}); await new Promise(() => {})"]
  ]) {
    test(`process.exit in a host function${how} ends the process with its code`, async () => {
      const { code, signal, stderr } = await run(`
        const quit = new HostFunction('quit', [], [], ${body})
        const plugin = new Plugin(guest('(func (export "run") (call $quit))', { user: '(import USER "quit" (func $quit))' }), false, [quit])
        ${call}`)
      assert.deepEqual({ code, signal, stderr }, { code: 8, signal: null, stderr: '' })
    })
  }

  test('process.exit runs listeners that may still call plugins synchronously', () => prints(`
    const plugin = new Plugin(pluginBytes('modern.wat'))
    await plugin.call('echo', 'x')
    process.on('exit', () => console.log(plugin.callSync('echo', 'exiting').toString()))
    process.exit()`, 'exiting'))

  test('an uncaught exception ends the process as ever', async () => {
    const { code, signal, stderr } = await run(`
      ${SPINNING}
      const { plugin, started } = spinning()
      plugin.call('spin')
      await started
      setImmediate(() => { throw new Error('uncaught') })
      await new Promise(() => {})`)
    assert.deepEqual({ code, signal }, { code: 1, signal: null }, stderr)
    assert.match(stderr, /Error: uncaught/)
    assert.doesNotMatch(stderr, /panicked/)
  })

  test('SIGTERM ends the process as ever', async () => {
    const { code, signal, stderr } = await run(`
      ${SPINNING}
      const { plugin, started } = spinning()
      plugin.call('spin')
      await started
      process.kill(process.pid, 'SIGTERM')
      await new Promise(() => {})`)
    assert.deepEqual({ code, signal }, { code: null, signal: 'SIGTERM' }, stderr)
  })

  test('the event loop keeps ticking', async () => {
    const plugin = new Plugin({ wasm: [{ data: pluginBytes('modern.wat') }], timeout_ms: 100 })
    let [spins, ticks] = [true, 0]
    const tick = () => {
      ticks++
      if (spins) setImmediate(tick)
    }
    setImmediate(tick)
    await assert.rejects(plugin.call('spin'), { code: 'ERR_EXTISM_TIMEOUT' })
    spins = false
    assert.ok(ticks > 10, `${ticks} ticks`)
    plugin.free()
  })
})

describe('a host function that never returns', () => {
  test('can be cancelled, and the plugin is usable afterwards', async () => {
    const [started, start] = signal()
    const never = new HostFunction('never', [], [], () => {
      start()
      return new Promise(() => {})
    })
    const code = guest('(func (export "wait") (call $never)) (func (export "echo") (call $give (call $input)))', { user: '(import USER "never" (func $never))' })
    const plugin = new Plugin(code, false, [never])
    const call = plugin.call('wait')
    await started
    assert.equal(plugin.cancelHandle().cancel(), true)
    await assert.rejects(call, { name: 'ExtismError', code: 'ERR_EXTISM_CANCELLED' })
    assert.equal((await plugin.call('echo', 'usable')).toString(), 'usable')
    plugin.free()
  })
})
