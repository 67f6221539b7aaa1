import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createPlugin } from '../../index.js'
import { guest } from '../helpers.js'

test('timers have their turn, however many instances call JavaScript without end', async t => {
  const code = guest('(func (export "run") (loop $again (call $work) (br $again)))', { user: '(import USER "work" (func $work))' })
  const controller = new AbortController()
  let timer
  const work = () => {
    // Not before all of them call: until then there is time.
    if (timer === undefined && plugin.stats().active === 64) timer = setTimeout(() => controller.abort(), 500)
    for (let until = performance.now() + 0.1; performance.now() < until;);
  }
  const plugin = await createPlugin(code, { instances: 64, functions: { 'extism:host/user': { work } } })
  t.after(() => plugin.close())
  const calls = Array.from({ length: 64 }, () => plugin.call('run', '', null, { signal: controller.signal, timeoutMs: 10_000 }).catch(({ code }) => code))
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(['ABORT_ERR']))
})

test('calls settle where the global setImmediate is somebody else\'s', async t => {
  const plugin = await createPlugin(guest('(func (export "run"))'), { instances: 4 })
  t.after(() => plugin.close())
  t.mock.method(globalThis, 'setImmediate', () => {})
  for (let i = 0; i < 3; i++) await Promise.all(Array.from({ length: 5_000 }, () => plugin.call('run')))
  assert.equal(plugin.stats().calls, 15_000)
})
