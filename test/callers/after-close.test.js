import { describe, test } from 'node:test'
import { prints } from '../helpers.js'
import { survives } from './attack.js'

test('a plugin that is closed refuses everything by a code, in the middle of its calls and after', t => survives(t, `
  const REFUSES = { legacy: ['call', 'callSync', 'stats', 'update'], modern: ['call', 'callSync', 'stats', 'update', 'reset', 'functionExists', 'getExports', 'getImports'] }
  for (const [name, methods] of Object.entries(REFUSES)) {
    const [released, release] = signal()
    const plugin = name === 'legacy' ? legacy(() => released) : await modern(async () => { await released; return 0n })
    const call = plugin.call('tell')
    const closed = plugin.close()
    for (const end of [release, () => closed, () => call]) {
      for (const method of methods) await assert.rejects(async () => plugin[method]('echo'), { code: 'ERR_EXTISM_CLOSED' }, name + method)
      await plugin[name === 'legacy' ? 'free' : 'isActive']()
      await end()
    }
    assert.equal(plugin.close(), closed)
    await plugin[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]()
  }`))

test('what a plugin has given can be used after it is closed and collected', t => survives(t, `
  const given = []
  const make = async () => {
    const store = new Store([['key', 'value']])
    const context = new Context()
    const first = context.plugin(CODE, false, [hostFunction(current => { given.push(['current', current]) })])
    const second = await modern(current => { given.push(['context', current]); return 0n })
    const reader = new Plugin(CODE, false, [memoryGet('answer', store)])
    given.push(['context', context], ['handle', first.cancelHandle()], ['entries', store.entries()])
    for (const plugin of [first, second, reader]) {
      given.push(['output', await plugin.call('echo', 'output')])
      await plugin.call('tell', 'key')
      await plugin.close()
    }
  }
  await make()
  for (let i = 0; i < 10; i++) { gc(); await new Promise(setImmediate) }
  const seen = []
  for (const [what, thing] of given) {
    if (what === 'output') seen.push(asText(thing))
    if (what === 'handle') seen.push(thing.cancel())
    if (what === 'entries') seen.push(...thing.next().value)
    for (const method of ['memory', 'memoryAlloc', 'read', 'alloc', 'store', 'length', 'setError', 'plugin']) {
      if (typeof thing[method] === 'function') await attempt(method, () => thing[method](method === 'setError' ? 'text' : 1))
    }
  }
  console.log(seen.join())`, { lines: ['false,key,value,output,output,output'], flags: ['--expose-gc'] }))

describe('while garbage is collected again and again', () => {
  const collecting = script => prints(`
    const collect = () => { gc(); return new Promise(setImmediate) }
    const code = guest('(func (export "ask") (call $give (call $answer (call $input))))', { user: '(import USER "answer" (func $answer (param i64) (result i64)))' })
    ${script}`, 'done', { flags: ['--expose-gc'] })

  test('plugins are made, called and dropped, and no promise is lost', () => collecting(`
    let ended = 0
    const registry = new FinalizationRegistry(() => ended++)
    for (let i = 0; i < 15; i++) {
      const texts = await (async () => {
        const answer = new HostFunction('answer', [ValType.I64], [ValType.I64], async (current, inputs, outputs) => {
          await collect()
          current.returnBytes(outputs[0], current.inputBytes(inputs[0]))
        })
        const functions = { 'extism:host/user': { answer: async (context, address) => {
          const block = context.read(address)
          await collect()
          return context.store(block.bytes())
        } } }
        const plugins = [new Plugin(code, false, [answer]), await createPlugin(code, { functions }), await Plugin.create(code, false, [answer])]
        for (const plugin of plugins) registry.register(plugin)
        gc()
        return plugins.map((plugin, n) => plugin.call('ask', 'text ' + n))
      })()
      gc()
      const outputs = await Promise.all(texts)
      assert.deepEqual(outputs.map(output => asText(output)), ['text 0', 'text 1', 'text 2'])
    }
    for (let i = 0; i < 100 && ended < 45; i++) await collect()
    console.log(ended === 45 ? 'done' : ended)`))

  test('calls fail, are cancelled, updated and closed, and no promise is lost', () => collecting(`
    for (let i = 0; i < 10; i++) {
      const controller = new AbortController()
      const never = () => { gc(); return new Promise(() => {}) }
      const functions = { 'extism:host/user': { answer: never } }
      const { ends } = await (async () => {
        const first = new Plugin(code, false, [new HostFunction('answer', [ValType.I64], [ValType.I64], never)])
        const second = await createPlugin(code, { functions })
        const calls = [first.call('ask', 'x', { signal: controller.signal }), first.call('absent'), second.call('ask', 'x', null, { timeoutMs: 20 }), second.call('ask', 'x', null, { signal: controller.signal })]
        const early = Promise.allSettled(calls)
        await second.update(code, { functions })
        const late = Promise.allSettled([second.call('ask', 'x', null, { signal: controller.signal })])
        first.free()
        second.close()
        return { ends: Promise.all([early, late]) }
      })()
      await collect()
      controller.abort()
      await collect()
      assert.deepEqual((await ends).flat().map(({ reason }) => reason.code), ['ABORT_ERR', 'ERR_EXTISM_FUNCTION_NOT_FOUND', 'ERR_EXTISM_TIMEOUT', 'ABORT_ERR', 'ABORT_ERR'])
    }
    console.log('done')`))

  test('a process ends in the middle of it', () => prints(`
    const code = guest('(func (export "ask") (call $give (call $answer (call $input))))', { user: '(import USER "answer" (func $answer (param i64) (result i64)))' })
    for (let i = 0; i < 10; i++) {
      const plugin = new Plugin(code, false, [new HostFunction('answer', [ValType.I64], [ValType.I64], () => gc())])
      plugin.call('ask', 'x').catch(() => {})
    }
    process.on('exit', () => { gc(); console.log('done') })
    await new Promise(setImmediate)
    process.exit()`, 'done', { flags: ['--expose-gc'] }))
})
