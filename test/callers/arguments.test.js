import { describe, test } from 'node:test'
import { survives } from './attack.js'

/** The arguments that make a plugin of 2023, and a manifest with bad parts. */
const GIVEN = 'const given = [SMALL, false, [hostFunction()], {}]'
const BOTH = `
  const both = async (manifest, options) => {
    await attempt('new Plugin', () => new Plugin(manifest, false, [hostFunction()], undefined, null, options))
    return Plugin.create(manifest, false, [hostFunction()], undefined, null, options)
  }
  const module = { data: SMALL }`

describe('bad arguments of the API of 2023 end in an error or in nothing', () => {
  test('new Plugin and Plugin.create', t => survives(t, `
    ${GIVEN}
    await sweep([...given, null, {}], (...all) => new Plugin(...all))
    await sweep([...given, null, {}], (...all) => Plugin.create(...all))`))

  test('context.plugin and plugin.update', t => survives(t, `
    ${GIVEN}
    const context = new Context()
    await sweep([...given, {}], (...all) => context.plugin(...all))
    const plugin = legacy()
    await sweep([...given, {}], (...all) => plugin.update(...all))`))

  test('a manifest', t => survives(t, `
    ${BOTH}
    await sweepProperties(['wasm', 'memory', 'config', 'allowed_hosts', 'allowed_paths', 'timeout_ms'], part => both({ wasm: [module], ...part }))
    await sweepProperties(['max_pages', 'max_var_bytes', 'maxTableElements', 'maxOutputBytes', 'maxStackBytes', 'maxHttpResponseBytes'], memory => both({ wasm: [module], memory }))
    await sweepProperties(['key'], config => both({ wasm: [module], config }))
    await sweepProperties(['path'], paths => both({ wasm: [module], allowed_paths: paths }))
    await sweepProperties(['host'], ({ host }) => both({ wasm: [module], allowed_hosts: [host] }))`))

  test('the modules of a manifest', t => survives(t, `
    ${BOTH}
    await sweepProperties(['item'], ({ item }) => both({ wasm: [item, module] }))
    await sweepProperties(['data', 'hash', 'name'], part => both({ wasm: [{ ...module, ...part }, module] }))
    await sweepProperties(['path'], item => both({ wasm: [item] }))
    await sweepProperties(['url'], item => Plugin.create({ wasm: [item] }))`))

  test('options', t => survives(t, `
    ${BOTH}
    await sweepProperties(['instances', 'maxQueue', 'queueTimeoutMs', 'maxCallDepth', 'maxLogBytes', 'cache', 'compileTimeoutMs', 'maxCompileMemoryBytes'], options => both(SMALL, options))`))

  test('the methods of a plugin', t => survives(t, `
    const plugin = legacy()
    await sweep(['echo', 'input', {}], (...all) => plugin.call(...all))
    await sweep(['echo', 'input', {}], (...all) => plugin.callSync(...all))
    await sweepProperties(['signal', 'timeoutMs'], options => plugin.call('echo', '', options))
    await sweepProperties(['signal', 'timeoutMs'], options => plugin.callSync('echo', '', options))
    for (const method of ['functionExists', 'cancelHandle', 'stats']) await sweep([''], value => { plugin[method](value) })
    await sweep([''], value => legacy().close(value))
    console.log(String(await plugin.call('echo', 'usable')))`, { lines: ['usable'] }))
})

describe('bad arguments of everything else end in an error or in nothing', () => {
  test('HostFunction and memoryGet', t => survives(t, `
    await sweep(['name', [ValType.I64], [], () => {}], (...all) => new HostFunction(...all))
    await sweep([ValType.I64], type => new HostFunction('name', [type], [type], () => {}))
    for (const method of ['setNamespace', 'withNamespace', 'free']) await sweep(['name'], value => { hostFunction()[method](value) })
    await sweep(['name', new Store(), {}], memoryGet)
    await sweepProperties(['missing'], options => memoryGet('name', new Store(), options))`))

  test('Store', t => survives(t, `
    const store = new Store([['key', 'value']])
    await sweep([[], {}], (...all) => new Store(...all), false)
    await sweep([['key', 'value']], entry => new Store([entry]))
    await sweep(['key', 'value'], (...entry) => new Store([entry]))
    await sweepProperties(['maxEntries', 'maxBytes', 'ttlMs'], options => new Store([['key', 'value']], options))
    for (const method of ['get', 'has', 'set', 'delete', 'keys', 'values', 'entries', 'stats', 'clear']) {
      await sweep(['key', 'value'], (...all) => { store[method](...all) })
    }
    await sweep([() => {}, null], (...all) => store.set('key', 'value').forEach(...all))
    console.log(store.size)`, { lines: ['1'] }))

  test('the functions and classes that need no plugin', t => survives(t, `
    await sweep(['log', 'info'], setLogFile)
    await sweep([() => {}], f => withContext(f))
    await sweep([1], value => withContext(() => value))
    await sweep([1], value => { extismVersion(value) })
    await sweep([() => true], f => new CancelHandle(f).cancel())
    await sweep(['ERR_EXTISM_TRAP', 'message', {}], (...all) => { new ExtismError(...all) }, false)
    await sweep([{}], value => new CurrentPlugin(value).memory(1), false)`))
})
