import { describe, test } from 'node:test'
import { prints } from '../helpers.js'

const GIB = 1 << 20

/** Ways to make a plugin, and to call it: each gives its output. */
const WAYS = `
  const code = pluginBytes('modern.wat')
  const ways = [
    () => new Plugin(code, false, [], undefined, null, { cache: false }).call('echo', 'served'),
    () => new Plugin(code, false, [], undefined, null, { cache: false }).callSync('echo', 'served'),
    async () => (await Plugin.create(code, false, [], undefined, null, { cache: false })).call('echo', 'served'),
    async () => (await (await createPlugin(code, { cache: false })).call('echo', 'served')).text()
  ]`

describe('with little address space', () => {
  for (const gib of [2, 16, 40]) {
    test(`of ${gib} GiB, plugins are made and called, in memories that reserve less of it`, () => prints(`${WAYS}
      for (const way of ways) console.log(String(await way()))`, Array(4).fill('served'), { limit: `-v ${gib * GIB}` }))
  }

  test('a memory that grows beyond what it has reserved keeps what is in it', () => prints(`
    const data = wat(\`(module (memory 1) (func (export "run")
      (i32.store (i32.const 8) (i32.const 7))
      (if (i32.ne (memory.grow (i32.const 6000)) (i32.const 1)) (then unreachable))
      (i32.store (i32.const 393216000) (i32.const 8))
      (if (i32.ne (i32.load (i32.const 8)) (i32.const 7)) (then unreachable))))\`)
    const plugin = await createPlugin(data, { cache: false })
    for (let i = 0; i < 2; i++) console.log(await plugin.call('run').then(() => 'ran', ({ code }) => code))`, ['ran', 'ERR_EXTISM_TRAP'], { limit: `-v ${4 * GIB}` }))

  test('a plugin that there was room for goes on once others are gone, also if it broke off', () => prints(`
    const neighbour = await Plugin.create(pluginBytes('modern.wat'))
    const plugins = []
    await assert.rejects(async () => {
      for (;;) plugins.push(await Plugin.create(pluginBytes('modern.wat')))
    }, { code: 'ERR_EXTISM_INSTANCE', message: /Cannot allocate memory/ })
    for (let i = 0; i < 5; i++) {
      // Its next instance may find no room, or that of the one before.
      for (const name of ['trap', 'echo']) await neighbour.call(name).catch(error => assert.match(error.code, /TRAP|INSTANCE/))
    }
    await Promise.all(plugins.map(plugin => plugin.close()))
    // The memory of those that are closed is given back some time later.
    let output
    while (output === undefined) output = await neighbour.call('echo', 'after').catch(error => assert.equal(error.code, 'ERR_EXTISM_INSTANCE'))
    console.log(String(output))`, 'after', { limit: `-v ${2 * GIB}` }))
})
