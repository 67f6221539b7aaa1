import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { prints, run } from '../helpers.js'

/** A plugin that sends this process a signal, and then goes on for ever, waits, or comes back. */
const PLUGIN = name => `
  const kill = new HostFunction('kill', [], [], () => { process.kill(process.pid, '${name}') })
  const never = new HostFunction('never', [], [], () => new Promise(() => {}))
  const data = guest(\`
    (func (export "back") (call $kill))
    (func (export "spin") (call $kill) (loop $again (br $again)))
    (func (export "wait") (call $kill) (call $never))\`, { user: '(import USER "kill" (func $kill)) (import USER "never" (func $never))' })
  const plugin = new Plugin({ wasm: [{ data }], timeout_ms: 200 }, false, [kill, never])`

describe('a signal in the middle of a call', () => {
  for (const name of ['SIGTERM', 'SIGINT']) {
    test(`ends the process, if nobody listens: ${name}`, async () => {
      for (const call of ["await plugin.call('spin')", "await plugin.call('wait')", "plugin.callSync('spin')"]) {
        const { code, signal, stderr } = await run(`${PLUGIN(name)}; ${call}`)
        assert.deepEqual({ code, signal, stderr }, { code: null, signal: name, stderr: '' })
      }
    })
  }

  for (const name of ['SIGTERM', 'SIGUSR2', 'SIGCHLD', 'SIGALRM']) {
    test(`reaches who listens, and calls end as ever: ${name}`, () => prints(`
      let heard = 0
      process.on('${name}', () => { heard++ })
      ${PLUGIN(name)}
      const neighbour = new Plugin(pluginBytes('modern.wat'))
      plugin.callSync('back')
      await plugin.call('back')
      for (const name of ['spin', 'wait']) await assert.rejects(plugin.call(name), { code: 'ERR_EXTISM_TIMEOUT' })
      assert.throws(() => plugin.callSync('spin'), { code: 'ERR_EXTISM_TIMEOUT' })
      while (heard < 1) await new Promise(setImmediate)
      console.log(String(await neighbour.call('echo', 'served')))
      plugin.free()`, 'served'))
  }
})

/** Calls that trap by each of the signals, in every way, with what came of them; ends by itself. */
const TRAPS = `
  const listener = () => {}
  const data = guest(\`
    (func (export "unreachable") unreachable)
    (func (export "beyond") (drop (i32.load (i32.const -8))))
    (func (export "divide") (drop (i32.div_s (i32.const 1) (i32.const 0))))
    (func (export "echo") (call $give (call $input)))\`)
  const outcome = async f => { try { return String(await f()) } catch (error) { return error.code } }
  const outcomes = async plugin => {
    const all = new Set()
    for (const name of ['echo', 'unreachable', 'beyond', 'divide', 'echo']) {
      all.add(await outcome(() => plugin.call(name, 'served')))
      all.add(await outcome(() => plugin.callSync(name, 'served')))
    }
    return [...all].join()
  }`

describe('a listener for a signal that tells of traps', () => {
  for (const name of ['SIGSEGV', 'SIGILL', 'SIGFPE', 'SIGBUS']) {
    // Of the memory that guests have, none is a file's.
    const isUsed = name !== 'SIGBUS' || process.platform === 'darwin'

    test(`is no harm if it is there before the first plugin is made, until it is removed: ${name}`, () => prints(`${TRAPS}
      process.on('${name}', listener)
      const plugin = new Plugin(data)
      console.log(await outcomes(plugin))
      process.off('${name}', listener)
      console.log([await outcome(() => plugin.call('unreachable')), await outcome(() => plugin.callSync('divide'))].every(code => ['ERR_EXTISM_SIGNAL', 'ERR_EXTISM_TRAP'].includes(code)))
      await plugin.close()`, ['served,ERR_EXTISM_TRAP', 'true']))

    test(`fails calls if it is added later, and none hangs or ends the process: ${name}`, () => prints(`${TRAPS}
      const [plugin, other] = [new Plugin(data), await createPlugin(data)]
      console.log(await outcomes(plugin))
      process.on('${name}', listener)
      console.log(await outcomes(plugin))
      console.log(await outcome(async () => (await other.call('unreachable'))), await outcome(async () => (await createPlugin(data)).call('unreachable')))
      await Promise.all([plugin.close(), other.close()])`, ['served,ERR_EXTISM_TRAP', ...isUsed ? ['ERR_EXTISM_SIGNAL', 'ERR_EXTISM_SIGNAL ERR_EXTISM_SIGNAL'] : ['served,ERR_EXTISM_TRAP', 'ERR_EXTISM_TRAP ERR_EXTISM_TRAP']]))
  }

  test('is noticed by two listeners of the package, however many plugins there are', () => prints(`${TRAPS}
    const counts = () => ['newListener', 'removeListener'].map(event => process.listenerCount(event))
    const before = counts()
    const plugins = [new Plugin(data), new Plugin(data), await createPlugin(data)]
    console.log(...counts().map((count, i) => count - before[i]))
    await Promise.all(plugins.map(plugin => plugin.close()))`, '1 1'))
})
