import { describe, test } from 'node:test'
import { prints } from '../helpers.js'

/** In a process of its own, since what Node.js has no room for there, the test runner has none for either. */
const MAKE = `
  const { createRequire } = await import('node:module')
  const { Environment } = createRequire(${JSON.stringify(import.meta.url)})('../../extism-napi.node')
  const code = pluginBytes('modern.wat')
  const ways = [
    [new Plugin(code), 'call'],
    [new Plugin(code), 'callSync'],
    [await createPlugin(code), 'call'],
    [await createPlugin(code), 'callSync']
  ]
  const noRoom = () => { throw new RangeError('Array buffer allocation failed') }
  const small = 'x'.repeat(10_000)
  const large = 'x'.repeat(1_000_000)
  const lengthOf = async ([plugin, method], input) => (await plugin[method]('echo', input)).byteLength
  const outcome = (way, input) => lengthOf(way, input).catch(({ code, message }) => code + (/Node.js has no room for the output: Array buffer allocation failed/.test(message) ? '' : message))`

describe('an output that Node.js has no room for', () => {
  const REPLACED = {
    'a small one': ['small', 10_000, ['Buffer', 'allocUnsafe'], ['Uint8Array.prototype', 'slice']],
    'a large one': ['large', 1_000_000, ['Environment.prototype', 'takeBytes']]
  }
  for (const [which, [input, length, ...methods]] of Object.entries(REPLACED)) {
    test(`fails its own call, and no other: ${which}`, () => prints(`${MAKE}
      const methods = [${methods.map(([object, name]) => `[${object}, '${name}']`)}]
      const kept = methods.map(([object, name]) => object[name])
      for (const way of ways) {
        methods.forEach(([object, name]) => { object[name] = noRoom })
        const outcomes = await Promise.all([outcome(way, ${input}), outcome(way, ${input}), way[0].call('nothing').then(output => output === null || output.length === 0)])
        methods.forEach(([object, name], i) => { object[name] = kept[i] })
        console.log(...outcomes, await lengthOf(way, ${input}))
      }`, Array(4).fill(`ERR_EXTISM_OUT_OF_MEMORY ERR_EXTISM_OUT_OF_MEMORY true ${length}`)))
  }
})
