import { describe, test } from 'node:test'
import { prints } from '../helpers.js'

/** The name of a C++ function that says itself over and over: readable, it has as many characters as `width` to the power of `depth`. */
const GROWING = `
  const place = i => i === 0 ? 'S_' : 'S' + (i - 1).toString(36).toUpperCase() + '_'
  const growing = (width, depth) => {
    let name = '_Z1f1AIiiE'
    for (let i = 1; i < depth; i++) name += 'S_I' + place(i).repeat(width) + 'E'
    return name
  }
  const trapping = name => Buffer.from('(module (func $' + name + ' (param i32)' +
    '(if (i32.gt_u (local.get 0) (i32.const 30)) (then unreachable)) (call 0 (i32.add (local.get 0) (i32.const 1))))' +
    '(func (export "run") (call 0 (i32.const 0))))')
  const neighbour = new Plugin(pluginBytes('modern.wat'))`

describe('a trap in functions with names that grow without end when they are made readable', () => {
  for (const [width, depth] of [[20, 6], [16, 12]]) {
    test(`is an error like any other: ${width} to the power of ${depth}`, () => prints(`${GROWING}
      const plugin = await createPlugin(trapping(growing(${width}, ${depth})), { timeoutMs: 5_000 })
      const fail = () => plugin.call('run').catch(error => error)
      for (const error of [await fail(), await fail()]) console.log(error.code, error.backtrace.length <= 1 << 16)
      console.log(String(await neighbour.call('echo', 'served')))`, [
      'ERR_EXTISM_TRAP true', 'ERR_EXTISM_TRAP true', 'served'
    ]))
  }

  test('is cut where names are long', () => prints(`${GROWING}
    const plugin = await createPlugin(trapping('ab'.repeat(45_000)))
    const { backtrace } = await plugin.call('run').catch(error => error)
    console.log(backtrace.length, backtrace.split('\\n').length)`, '65536 1'))

  test('has the others, as they are called in their language', () => prints(`${GROWING}
    const plugin = await createPlugin(trapping('_ZN4main5serve17h0123456789abcdefE'))
    const { backtrace } = await plugin.call('run').catch(error => error)
    const lines = backtrace.trimEnd().split('\\n')
    console.log(lines.length, lines.every(line => line.endsWith('main::serve')))`, '20 true'))
})
