import { describe, test } from 'node:test'
import { prints } from '../helpers.js'

const GIB = 1 << 20

describe('with less address space than plugins need', () => {
  for (const gib of [2, 16, 40]) {
    test(`of ${gib} GiB, a plugin is made, or an error says why not`, () => prints(`
      const code = pluginBytes('modern.wat')
      const ways = [
        () => new Plugin(code, false, [], undefined, null, { cache: false }).call('echo', 'served'),
        () => new Plugin(code, false, [], undefined, null, { cache: false }).callSync('echo', 'served'),
        async () => (await Plugin.create(code, false, [], undefined, null, { cache: false })).call('echo', 'served'),
        async () => (await (await createPlugin(code, { cache: false })).call('echo', 'served')).text()
      ]
      let refused = 0
      for (const way of ways) {
        try {
          assert.equal(String(await way()), 'served')
        } catch (error) {
          assert.equal(error.code, 'ERR_EXTISM_INSTANCE', error)
          assert.match(error.message, /Cannot allocate memory/)
          refused++
        }
      }
      console.log(refused > 0)`, 'true', { limit: `-v ${gib * GIB}` }))
  }

  test('a plugin that there was room for goes on once others are gone, also if it broke off', () => prints(`
    const neighbour = await Plugin.create(pluginBytes('modern.wat'))
    const plugins = []
    await assert.rejects(async () => {
      for (;;) plugins.push(await Plugin.create(pluginBytes('modern.wat')))
    }, { code: 'ERR_EXTISM_INSTANCE' })
    for (let i = 0; i < 5; i++) {
      // Its next instance may find no room, or that of the one before.
      for (const name of ['trap', 'echo']) await neighbour.call(name).catch(error => assert.match(error.code, /TRAP|INSTANCE/))
    }
    await Promise.all(plugins.map(plugin => plugin.close()))
    console.log(String(await neighbour.call('echo', 'after')))`, 'after', { limit: `-v ${40 * GIB}` }))
})
