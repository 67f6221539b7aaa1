import { describe, test } from 'node:test'
import { survives } from './attack.js'

describe('what a host function throws is never more than the failure of its call', () => {
  for (const method of ['call', 'callSync']) {
    test(`thrown or rejected with, whatever it is, in ${method}`, t => survives(t, `
      let fail
      const first = legacy(() => fail())
      const second = await modern(() => fail())
      const failing = async plugin => {
        try {
          await plugin.${method}('tell')
        } catch (error) {
          return error
        }
      }
      for (const [name, make] of VALUES) {
        const value = make()
        for (const how of [() => { throw value }, ...('${method}' === 'call' ? [() => Promise.reject(value)] : [])]) {
          fail = how
          const error = await failing(first)
          assert.ok(error instanceof ExtismError && Object.is(error.cause, value), name)
          assert.equal(error.code, 'ERR_EXTISM_HOST_FUNCTION', name)
          const other = await failing(second)
          assert.ok(Object.is(other, value) || Object.is(other.cause, value), name)
        }
      }
      console.log(String(await first.call('echo', 'usable')))`, { lines: ['usable'] }))
  }
})

describe('what a host function returns is a result, or the failure of its call', () => {
  test('whatever it is, in either API', t => survives(t, `
    let value, give
    const first = legacy((current, inputs, outputs) => give(outputs))
    const second = await modern(() => value)
    const GIVE = [outputs => { outputs[0] = value }, outputs => { outputs[0].v = value }, outputs => { outputs[0].v.i64 = value }]
    for (const [name, make] of VALUES) {
      value = make()
      for (const method of ['call', 'callSync']) {
        for (give of GIVE) await attempt(name, () => first[method]('tell'))
        await attempt(name, () => { return second[method]('tell') })
      }
    }
    console.log(String(await first.call('echo', 'usable')), await textOf(second.call('echo', 'usable')))`, { lines: ['usable usable'] }))

  test('where there are to be several, in createPlugin', t => survives(t, `
    const code = guest('(func (export "two") (call $two) (drop) (drop))', { user: '(import USER "two" (func $two (result i32 i64)))' })
    let value
    const plugin = await createPlugin(code, { functions: { [USER]: { two: () => value } } })
    for (const [name, make] of VALUES) {
      for (const results of [make(), [make(), make()], [1n, make()], [make()], new Array(2)]) {
        value = results
        for (const method of ['call', 'callSync']) await attempt(name, () => { return plugin[method]('two') })
      }
    }
    for (value of [null, 5, {}]) await assert.rejects(plugin.call('two'), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    value = [1, 2n]
    console.log(await plugin.call('two'))`, { lines: ['null'] }))

  test('a CurrentPlugin and a CallContext take no bad arguments', t => survives(t, `
    let use
    const first = new Plugin({ wasm: [{ data: CODE }], memory: { max_pages: 100 } }, false, [hostFunction(current => use(current))])
    const second = await modern(context => { use(context) }, { memory: { maxPages: 100 } })
    const LEGACY = { memory: [1], memoryAlloc: [1], memoryFree: [1], memoryLength: [1], returnString: [{ v: {} }, 'text'], returnBytes: [{ v: {} }, new Uint8Array(1)], inputBytes: [{ v: { i64: 1 } }], inputString: [{ v: { i64: 1 } }] }
    const MODERN = { hostContext: [], alloc: [1n], store: ['text'], read: [1n], length: [1n], getVariable: ['name'], setVariable: ['name', 'value'], deleteVariable: ['name'] }
    for (const [plugin, methods] of [[first, LEGACY], [second, MODERN]]) {
      for (const how of ['call', 'callSync']) {
        for (const [method, good] of Object.entries(methods)) {
          await sweep(good, async (...all) => {
            let failed
            use = object => { try { object[method](...all) } catch (error) { failed = { error } } }
            await plugin[how]('tell')
            if (failed && !/^failed to store output$/.test(failed.error.message)) throw failed.error
          }, false)
        }
      }
    }`))
})
