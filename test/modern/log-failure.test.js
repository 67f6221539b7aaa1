import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createPlugin } from '../../index.js'
import { guest, prints, signal } from '../helpers.js'
import { USER, made, textOf } from './making.js'

/** `run` logs its input, `wait` does so when its host function has returned, `quiet` logs nothing. */
const CODE = guest(`
  (func (export "run") (call $log_info (call $input)) (call $give (call $input)))
  (func (export "wait") (call $wait) (call $log_info (call $input)))
  (func (export "refuse") (result i32) (call $log_info (call $input)) (call $fail (call $input)))
  (func (export "quiet") (call $give (call $input)))`, {
  user: '(import USER "wait" (func $wait))'
})

const REASON = new Error('write after end')

/** A plugin whose logger throws, or does what `log` does. */
function logging (t, { log = () => { throw REASON }, wait = () => {}, ...options } = {}) {
  return made(t, CODE, { logLevel: 'info', logger: { info: log }, functions: { [USER]: { wait } }, ...options })
}

/** The warnings of this process from here on. */
function warnings (t) {
  const seen = []
  let heard = () => {}
  const listener = warning => {
    seen.push(`${warning.name}: ${warning.message}`)
    heard()
  }
  process.on('warning', listener)
  t.after(() => process.off('warning', listener))
  return { seen, next: () => new Promise(resolve => { heard = resolve }) }
}

describe('a logger that throws', () => {
  test('fails the call that logged with the same error', async t => {
    const plugin = await logging(t)
    await assert.rejects(plugin.call('run', 'x'), error => error === REASON)
    await assert.rejects(plugin.call('wait', 'x'), error => error === REASON)
  })

  test('fails the call with an ExtismError that has the cause, if it throws something other than an Error', async t => {
    for (const thrown of ['text', null, 5]) {
      const plugin = await logging(t, { log: () => { throw thrown } })
      await assert.rejects(plugin.call('run', 'x'), { name: 'ExtismError', code: 'ERR_EXTISM_HOST_FUNCTION', message: String(thrown), function: 'run', cause: thrown })
    }
  })

  test('does not replace the error of a call that fails anyway', async t => {
    const plugin = await logging(t)
    await assert.rejects(plugin.call('refuse', 'no'), { code: 'ERR_EXTISM_GUEST', message: 'Plugin-originated error: no' })
  })

  test('fails no call that does not log, and no later call once it works again', async t => {
    let broken = true
    const plugin = await logging(t, { log: () => { if (broken) throw REASON } })
    assert.equal(await textOf(plugin.call('quiet', 'before')), 'before')
    await assert.rejects(plugin.call('run', 'x'), error => error === REASON)
    broken = false
    assert.equal(await textOf(plugin.call('run', 'after')), 'after')
    assert.equal(await textOf(plugin.call('quiet', 'after')), 'after')
  })

  test('fails no call of another plugin', async t => {
    const [waiting, resume] = signal()
    const other = await logging(t, { log: () => {}, wait: () => waiting })
    const call = other.call('wait', 'x')
    const plugin = await logging(t)
    await assert.rejects(plugin.call('run', 'x'), error => error === REASON)
    resume()
    assert.equal(await call, null)
  })

  test('fails exactly the calls that logged, of several that are pending', async t => {
    const { seen } = warnings(t)
    const [waiting, resume] = signal()
    const plugin = await logging(t, { instances: 2, log: text => { if (text !== 'c') throw new Error(text) }, wait: () => waiting })
    const calls = [plugin.call('wait', 'a'), plugin.call('run', 'b'), plugin.call('run', 'c'), plugin.call('quiet', 'd')]
    await assert.rejects(calls[1], { message: 'b' })
    assert.deepEqual(await Promise.all([textOf(calls[2]), textOf(calls[3])]), ['c', 'd'])
    resume()
    await assert.rejects(calls[0], { message: 'a' })
    await new Promise(setImmediate)
    assert.deepEqual(seen, [])
  })

  test('fails the call that logged, of those that run at the same time', async t => {
    const plugin = await logging(t, { instances: 4, log: text => { if (Number(text) % 3 === 0) throw new Error(text) }, wait: () => new Promise(setImmediate) })
    const texts = Array.from({ length: 200 }, (_, i) => `${i}`)
    const outcomes = await Promise.all(texts.map((text, i) => plugin.call(i % 2 ? 'run' : 'wait', text).then(() => 'ended', ({ message }) => message)))
    assert.deepEqual(outcomes, texts.map(text => Number(text) % 3 === 0 ? text : 'ended'))
  })

  test('makes callSync throw the same error, and fails no later call', async t => {
    const { seen } = warnings(t)
    let broken = true
    const plugin = await logging(t, { log: () => { if (broken) throw REASON } })
    for (const name of ['run', 'wait']) assert.throws(() => plugin.callSync(name, 'x'), error => error === REASON)
    assert.equal(plugin.callSync('quiet', 'x').text(), 'x')
    broken = false
    assert.equal(plugin.callSync('run', 'x').text(), 'x')
    assert.equal(await textOf(plugin.call('run', 'after')), 'after')
    await new Promise(setImmediate)
    assert.deepEqual(seen, [])
  })

  test('does not replace the error of a callSync that fails anyway', async t => {
    const plugin = await logging(t)
    assert.throws(() => plugin.callSync('refuse', 'no'), { code: 'ERR_EXTISM_GUEST', message: 'Plugin-originated error: no' })
  })

  test('fails the call during which the host logs', async t => {
    const logger = { error: () => { throw REASON } }
    const plugin = await made(t, CODE, { logLevel: 'error', logger, memory: { maxPages: 2 }, functions: { [USER]: { wait: context => { context.alloc(1 << 20) } } } })
    await assert.rejects(plugin.call('wait', 'x'), error => error === REASON)
    assert.equal(await textOf(plugin.call('quiet', 'after')), 'after')
  })

  test('rejects createPlugin if start code logs', async () => {
    const code = guest('(start $start) (func $start (call $log_info (call $put (i32.const 0) (i32.const 1)))) (func (export "run"))')
    await assert.rejects(createPlugin(code, { logLevel: 'info', logger: { info: () => { throw REASON } } }), error => error === REASON)
  })
})

test('a logger whose promise rejects makes the process emit a warning, and the call goes on', async t => {
  const { seen, next } = warnings(t)
  const plugin = await logging(t, { log: async () => { throw REASON } })
  const warned = next()
  assert.equal(await textOf(plugin.call('run', 'x')), 'x')
  await warned
  assert.deepEqual(seen, ['ExtismWarning: the logger of a plugin threw: write after end'])
})

test('a logger may throw anything without ending the process', () => prints(`
  let thrown
  const plugin = await createPlugin(Buffer.from(${JSON.stringify(CODE.toString())}), {
    logLevel: 'info', logger: { info () { throw thrown } }, functions: { '${USER}': { wait () {} } }
  })
  const strange = [undefined, Symbol('s'), { toString () { throw new Error('boom') } }, new Proxy({}, { get () { throw new Error('boom') } })]
  for (thrown of strange) console.log(await plugin.call('run', 'x').then(() => 'resolved', ({ code, cause }) => code + (cause === thrown)))
  await plugin.close()`, Array(4).fill('ERR_EXTISM_HOST_FUNCTIONtrue')))
