import { describe, test } from 'node:test'
import { survives } from './attack.js'

const FUNCTIONS = 'const functions = { [USER]: { answer: () => 0n } }'

describe('bad arguments of createPlugin end in an error or in nothing', () => {
  test('the manifest and the options, also of plugin.update', t => survives(t, `
    ${FUNCTIONS}
    await sweep([SMALL, { functions }], async (...all) => { await (await createPlugin(...all)).close() }, false)
    const plugin = await modern()
    await sweep([SMALL, { functions }], (...all) => plugin.update(...all), false)`))

  test('the parts of a manifest', t => survives(t, `
    ${FUNCTIONS}
    const make = manifest => createPlugin({ wasm: [{ data: SMALL }], ...manifest }, { functions })
    await sweepProperties(['wasm', 'memory', 'config', 'allowedHosts', 'allowedPaths', 'timeoutMs'], make)
    await sweepProperties(['item'], ({ item }) => make({ wasm: [item, { data: SMALL }] }))
    await sweepProperties(['data', 'path', 'response', 'module'], item => make({ wasm: [item] }))
    await sweepProperties(['url'], item => make({ wasm: [item] }), false)
    await sweepProperties(['hash', 'name'], part => make({ wasm: [{ data: SMALL, ...part }, { data: SMALL }] }))`))

  test('each of the options', t => survives(t, `
    await sweepProperties(['logLevel', 'functions', 'allowedPaths', 'allowedHosts', 'memory', 'timeoutMs', 'config', 'fetch', 'instances', 'maxQueue', 'queueTimeoutMs', 'maxCallDepth', 'maxLogBytes', 'cache', 'compileTimeoutMs', 'maxCompileMemoryBytes', 'fuel', 'logger'],
      options => createPlugin(SMALL, options))
    await sweepProperties(['maxPages', 'maxTotalPages', 'maxVarBytes', 'maxHttpResponseBytes', 'maxTableElements', 'maxOutputBytes', 'maxStackBytes'], memory => createPlugin(SMALL, { memory }))`))

  test('the parts of options', t => survives(t, `
    await sweepProperties(['any'], ({ any }) => createPlugin(SMALL, {
      useWasi: any, runInWorker: any, freshInstance: any, enableWasiOutput: any, sharedVars: any,
      allowHttpResponseHeaders: any, sharedArrayBufferSize: any, nodeWorkerArgs: any
    }))
    await sweepProperties([USER], functions => createPlugin(SMALL, { functions }))
    await sweepProperties(['answer'], functions => createPlugin(SMALL, { functions: { [USER]: functions } }))
    await sweepProperties(['/guest'], allowedPaths => createPlugin(SMALL, { allowedPaths }))
    await sweepProperties(['host'], ({ host }) => createPlugin(SMALL, { allowedHosts: [host] }))
    await sweepProperties(['key'], config => createPlugin(SMALL, { config }))`))

  test('the methods of a plugin', t => survives(t, `
    const plugin = await modern()
    await sweep(['echo', 'input', null, {}], (...all) => plugin.call(...all))
    await sweep(['echo', 'input', null, {}], (...all) => { plugin.callSync(...all) })
    await sweepProperties(['signal', 'timeoutMs'], options => plugin.call('echo', '', null, options))
    await sweepProperties(['signal', 'timeoutMs'], options => { plugin.callSync('echo', '', null, options) })
    for (const method of ['functionExists', 'getExports', 'getImports', 'getInstance', 'isActive', 'reset', 'stats']) {
      await sweep([''], async value => { await plugin[method](value) })
    }
    console.log(await textOf(plugin.call('echo', 'usable')))`, { lines: ['usable'] }))
})

test('holes in the modules of a manifest are no modules', t => survives(t, `
  for (const wasm of [new Array(3), [, { data: SMALL }], [{ data: SMALL }, , ]]) {
    for (const make of [() => new Plugin({ wasm }), () => Plugin.create({ wasm }), () => createPlugin({ wasm })]) {
      const error = await (async () => make())().then(() => undefined, error => error)
      assert.equal(error?.code, 'ERR_EXTISM_MANIFEST')
    }
  }`))
