import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { run } from '../helpers.js'
import { survives } from './attack.js'

/** What a host function gives in place of a promise, and how its call ends: with nothing, or with BOOM. */
const THENABLES = {
  'resolves and then rejects': ['{ then (resolve, reject) { resolve(0n); reject(BOOM); resolve(1n) } }', 'fine'],
  'rejects and then resolves': ['{ then (resolve, reject) { reject(BOOM); resolve(0n) } }', 'boom'],
  'resolves again and again, and later': ['{ then (resolve) { for (let i = 0; i < 100; i++) resolve(0n); setImmediate(resolve, 1n) } }', 'fine'],
  'resolves and then throws': ['{ then (resolve) { resolve(0n); throw BOOM } }', 'fine'],
  'throws when it is asked': ['{ then: boom }', 'boom'],
  'has a then that cannot be read': ["Object.defineProperty({}, 'then', { get: boom })", 'boom'],
  'has a then that can be read once': ["((read = 0) => Object.defineProperty({}, 'then', { get: () => read++ ? boom() : resolve => resolve(0n) }))()", 'boom'],
  'gives another one, many times': ['((n = 0) => { const again = { then (resolve) { resolve(n++ < 100 ? again : 0n) } }; return again })()', 'fine'],
  'is a function': ['Object.assign(() => {}, { then (resolve) { resolve(0n) } })', 'fine'],
  'is a promise whose then throws': ['Object.assign(Promise.resolve(0n), { then: boom })', 'fine'],
  'is a promise whose then gives no promise': ['Object.assign(Promise.resolve(0n), { then: () => 5 })', 'fine'],
  'is a promise without a class': ["Object.defineProperty(Promise.resolve(0n), 'constructor', { get: boom })", 'boom'],
  'is a promise of a class that throws': ['new (class extends Promise { then () { boom() } })(() => {})', 'boom'],
  'is a promise of a strange species': ['new (class extends Promise { static get [Symbol.species] () { boom() } })(resolve => resolve(0n))', 'boom']
}

test('a call settles once, whatever its host function gives for a promise', t => survives(t, `
  for (const [name, give, end] of [${Object.entries(THENABLES).map(([name, [give, end]]) => `[${JSON.stringify(name)}, () => (${give}), '${end}']`)}]) {
    const first = legacy(give)
    const second = await modern(give)
    const ends = [first.call('tell'), second.call('tell')].map(call => call.then(() => 'fine', error => [error, error.cause].includes(BOOM) ? 'boom' : error))
    assert.deepEqual(await Promise.all(ends), [end, end], name)
    assert.throws(() => first.callSync('tell'), { code: 'ERR_EXTISM_HOST_FUNCTION' }, name)
    assert.throws(() => second.callSync('tell'), error => error === BOOM || error.code === 'ERR_EXTISM_ASYNC', name)
    assert.equal(String(await first.call('echo', name)), name)
    assert.equal(await textOf(second.call('echo', name)), name)
  }`))

describe('a host function that settles too late, or never', () => {
  /** Ends calls whose host function waits for \`released\`, by a signal and by their time. */
  const ending = settle => `
    const [released, release] = signal()
    let waiting
    const wait = async () => { waiting(); await released; ${settle} }
    const plugins = [legacy(wait), await modern(wait)]
    for (const [i, plugin] of plugins.entries()) {
      const call = options => i === 0 ? plugin.call('tell', 'x', options) : plugin.call('tell', 'x', null, options)
      const asked = new Promise(resolve => { waiting = resolve })
      const controller = new AbortController()
      const aborted = assert.rejects(call({ signal: controller.signal }), { code: 'ABORT_ERR' })
      await asked
      controller.abort()
      await aborted
      await assert.rejects(call({ timeoutMs: 20 }), { code: 'ERR_EXTISM_TIMEOUT' })
    }
    release()
    await new Promise(setImmediate)
    for (const plugin of plugins) assert.equal(Buffer.from((await plugin.call('echo', 'usable')).buffer).includes('usable'), true)`

  for (const [how, settle] of Object.entries({
    'rejects with nothing': 'throw undefined',
    'rejects with a proxy that throws': 'throw throwing()',
    resolves: 'return 0n',
    'resolves with what is no result': 'return throwing([])',
    'never settles': 'await new Promise(() => {})'
  })) {
    test(`harms nothing where it ${how}`, t => survives(t, ending(settle)))
  }
})

describe('a host function that ends more than its call', () => {
  test('can close its own plugin, and call it then in vain', t => survives(t, `
    const CLOSE = { legacy: plugin => { plugin.free(); return plugin.call('echo') }, modern: plugin => { plugin.close(); return plugin.call('echo') } }
    for (const [name, close] of Object.entries(CLOSE)) {
      for (const method of ['call', 'callSync']) {
        let refused
        const f = () => { refused = assert.rejects(close(plugin), { code: 'ERR_EXTISM_CLOSED' }); return 0n }
        const plugin = name === 'legacy' ? legacy(() => { f() }) : await modern(f)
        await plugin[method]('tell')
        await refused
        await plugin.close()
        await assert.rejects(async () => plugin[method]('tell'), { code: 'ERR_EXTISM_CLOSED' })
      }
    }`))

  test('can call its own plugin on its thread, which is busy', t => survives(t, `
    const codes = new Set()
    const again = get => () => {
      try { get().callSync('echo') } catch (error) { codes.add(error.code) }
      return 0n
    }
    const first = legacy(() => { again(() => first)() })
    const second = await modern(() => again(() => second)())
    for (const plugin of [first, second]) {
      await plugin.call('tell')
      plugin.callSync('tell')
    }
    console.log([...codes].join())`, { lines: ['ERR_EXTISM_BUSY'] }))

  for (const method of ['call', 'callSync']) {
    test(`can end the process with a code of its own, in ${method} of createPlugin`, async () => {
      const { code, signal } = await run(`
        const code = guest('(func (export "run") (call $end))', { user: '(import USER "end" (func $end))' })
        const plugin = await createPlugin(code, { functions: { 'extism:host/user': { end: () => process.exit(3) } } })
        await plugin.${method}('run')`)
      assert.deepEqual({ code, signal }, { code: 3, signal: null })
    })
  }

  test('can throw while the process ends, which fails the call that was made then', async () => {
    const { code, signal, stdout } = await run(`
      const code = guest('(func (export "run") (call $end)) (func (export "nothing"))', { user: '(import USER "end" (func $end))' })
      const end = () => { throw new Error('boom') }
      const plugins = [new Plugin(code, false, [new HostFunction('end', [], [], end)]), await createPlugin(code, { functions: { 'extism:host/user': { end } } })]
      process.on('exit', () => {
        for (const plugin of plugins) {
          try { plugin.callSync('run') } catch (error) { console.log(/boom/.test(error.message)) }
          plugin.call('run').catch(() => {})
        }
        throw new Error('at the end')
      })
      for (const plugin of plugins) await plugin.call('nothing')`)
    assert.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: 'true\ntrue\n' })
  })
})
