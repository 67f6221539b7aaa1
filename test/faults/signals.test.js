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
