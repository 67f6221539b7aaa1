import { describe, test } from 'node:test'
import { directory } from '../modern/making.js'
import { pluginPath, prints } from '../helpers.js'

const FEW = { limit: '-n 64' }

/** Runs a script while no more files can be opened, apart from `spare`; a neighbour must serve then, and after. */
function withoutFiles (spare, script, lines) {
  return prints(`
    const fs = await import('node:fs')
    // What looks after the cache opens and closes files of its own.
    const neighbour = new Plugin(pluginBytes('modern.wat'), false, [], undefined, null, { cache: false })
    await neighbour.call('echo', 'x')
    const path = ${JSON.stringify(pluginPath('modern.wat'))}
    const bytes = pluginBytes('modern.wat')
    const outcome = async f => { try { return String(await f()) } catch (error) { return error.code } }
    const open = []
    assert.throws(() => { for (;;) open.push(fs.openSync('/dev/null')) }, { code: 'EMFILE' })
    for (let i = 0; i < ${spare}; i++) fs.closeSync(open.pop())
    ${script}
    console.log(String(await neighbour.call('echo', 'neighbour')))
    for (const file of open) fs.closeSync(file)
    console.log(String(await neighbour.call('echo', 'neighbour')))
    console.log(await outcome(() => new Plugin({ wasm: [{ path }] }).call('echo', 'made')))`, [...lines, 'neighbour', 'neighbour', 'made'], FEW)
}

describe('without file descriptors', () => {
  test('a plugin is made of bytes and called, with a cache and without', t => withoutFiles(0, `
    for (const cache of [true, false, ${JSON.stringify(directory(t))}]) {
      console.log(await outcome(() => new Plugin(bytes, true, [], undefined, null, { cache }).call('echo', 'call')))
      console.log(await outcome(() => new Plugin(bytes, true, [], undefined, null, { cache }).callSync('echo', 'callSync')))
      console.log(await outcome(async () => (await Plugin.create(bytes, true, [], undefined, null, { cache })).call('echo', 'create')))
      console.log(await outcome(async () => (await (await createPlugin(bytes, { cache, useWasi: true })).call('echo', 'createPlugin')).text()))
    }`, Array(3).fill(['call', 'callSync', 'create', 'createPlugin']).flat()))

  test('a plugin that needs some is an error, and others go on', () => withoutFiles(0, `
    console.log(await outcome(() => new Plugin({ wasm: [{ path }] })))
    console.log(await outcome(() => Plugin.create({ wasm: [{ path }] })))
    console.log(await outcome(() => createPlugin(path)))
    const wasi = { wasm: [{ data: wat('(module (import "wasi_snapshot_preview1" "fd_prestat_get" (func (param i32 i32) (result i32))) (memory (export "memory") 1) (func (export "run")))') }] }
    console.log(await outcome(() => new Plugin({ ...wasi, allowedPaths: { '/': '/' } }, true).call('run')))
    console.log(await outcome(() => createPlugin(wasi, { allowedPaths: { '/': '/' }, useWasi: true })))
    console.log(await outcome(() => setLogFile('/dev/null')))`, [
    'ERR_EXTISM_MANIFEST', 'ERR_EXTISM_MANIFEST', 'EMFILE', 'ERR_EXTISM_INSTANCE', 'ERR_EXTISM_INSTANCE', 'ERR_EXTISM_LOG_FILE'
  ]))

  // A worker needs some to start, and its code one to be read.
  for (const spare of [0, 4]) {
    test(`a download that blocks is an error, with ${spare} left`, () => withoutFiles(spare, `
      console.log(await outcome(() => new Plugin({ wasm: [{ url: 'http://127.0.0.1:1/' }] })))`, ['ERR_EXTISM_MANIFEST']))
  }
})

test('with few file descriptors, many plugins are made and called', () => prints(`
  const code = guest('(func (export "echo") (call $give (call $input)))')
  const plugins = await Promise.all(Array.from({ length: 100 }, () => Plugin.create(code)))
  const outputs = await Promise.all(plugins.map((plugin, i) => plugin.call('echo', String(i))))
  console.log(outputs.every((output, i) => String(output) === String(i)))`, 'true', FEW))
