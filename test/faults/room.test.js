import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { prints } from '../helpers.js'

/** Where the system says how many mappings of memory there may be, there may not be more instances. */
const IS_BOUNDED = existsSync('/proc/sys/vm/max_map_count')

test('instances that the process has no room for are refused, until others are gone', () => prints(`
  const memories = '(memory 0)'.repeat(100)
  const wasm = Array.from({ length: 50 }, (_, i) => ({
    name: i === 49 ? 'main' : 'm' + i,
    data: wat('(module ' + (i > 0 ? '(import "m' + (i - 1) + '" "run" (func $run)) (func (export "run") (call $run))' : '(func (export "run"))') + memories + ')')
  }))
  const large = () => Plugin.create({ wasm }, false, [], undefined, null, { cache: false })
  const neighbour = new Plugin(pluginBytes('modern.wat'))
  const plugins = []
  let refused
  while (refused === undefined && plugins.length < 4) {
    await large().then(plugin => plugins.push(plugin), error => { refused = error })
  }
  console.log(refused?.code, /no more instances/.test(refused?.message))
  console.log(String(await neighbour.call('echo', 'served')))
  for (const plugin of plugins.splice(1)) await plugin.close()
  await plugins[0].call('run')
  // The memory of those that are closed is given back some time later.
  let again
  while (again === undefined) again = await large().catch(error => assert.equal(error.code, refused.code))
  await again.call('run')
  console.log('room again')
  await Promise.all([again, ...plugins].map(plugin => plugin.close()))
  await neighbour.close()`, [IS_BOUNDED ? 'ERR_EXTISM_INSTANCE true' : 'undefined false', 'served', 'room again']))
