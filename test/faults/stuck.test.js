import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import { prints } from '../helpers.js'

/** A plugin whose `open` waits in the system for as long as nobody writes to a pipe. */
const WAITING = `
  const data = guest(\`
    (data (i32.const 100) "pipe")
    (func (export "open")
      (drop (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 200))))
    (data (i32.const 120) "name")
    (func (export "trap") unreachable)
    (func (export "ask") (call $tell))
    (func (export "echo") (call $give (call $input)))
    (func (export "set") (call $var_set (call $put (i32.const 120) (i32.const 4)) (call $input)))
    (func (export "get") (call $give (call $var_get (call $put (i32.const 120) (i32.const 4)))))\`, {
    user: '(import USER "tell" (func $tell))' +
      '(import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))'
  })
  const tell = new HostFunction('tell', [], [], () => {})
  const manifest = directory => ({ wasm: [{ data }], allowed_paths: { [directory]: '/' } })
  const created = (directory, options) => createPlugin({ wasm: [{ data }] }, {
    useWasi: true, allowedPaths: { '/': directory }, functions: { 'extism:host/user': { tell } }, ...options
  })
  // Only what waits is to be stopped, however slow the machine is.
  const stopped = plugin => {
    const limit = { timeoutMs: 100 }
    const call = plugin instanceof Plugin ? plugin.call('open', '', limit) : plugin.call('open', '', null, limit)
    return call.catch(({ code }) => code)
  }`

describe('a plugin that waits in the system, where nothing can stop it,', () => {
  const waits = (t, script, lines) => {
    const directory = mkdtempSync(path.join(tmpdir(), 'extism-napi-'))
    t.after(() => rmSync(directory, { recursive: true }))
    execFileSync('mkfifo', [path.join(directory, 'pipe')])
    return prints(`${WAITING}\nconst directory = ${JSON.stringify(directory)}\n${script}`, lines)
  }

  test('is left alone: its call ends, others run, and so does the process', t => waits(t, `
    const plugin = new Plugin(manifest(directory), true, [tell])
    const calls = [stopped(plugin), plugin.call('echo', 'served'), stopped(plugin), plugin.call('echo', 'served')]
    for (const call of calls) console.log(String(await call))
    const { active, queued, instances, replaced } = plugin.stats()
    console.log(active, queued, instances, replaced)
    await plugin.close()`, ['ERR_EXTISM_TIMEOUT', 'served', 'ERR_EXTISM_TIMEOUT', 'served', '0 0 1 2']))

  test('does not keep its plugin from closing, nor a cancel from coming through', t => waits(t, `
    const plugin = new Plugin(manifest(directory), true, [tell])
    const controller = new AbortController()
    const call = plugin.call('open', '', { signal: controller.signal })
    while (plugin.stats().active === 0) await new Promise(setImmediate)
    const closing = plugin.close()
    controller.abort()
    console.log(await call.catch(error => error.name))
    await closing
    console.log('closed')`, ['AbortError', 'closed']))

  test('hands its variables on to the one that takes its place, also where host functions kept them', t => waits(t, `
    let context
    const plugin = await created(directory, { sharedVars: false, functions: { 'extism:host/user': { tell: each => { context = each } } } })
    await plugin.call('set', 'kept')
    await plugin.call('ask')
    console.log(await stopped(plugin))
    console.log(context.getVariable('name').text(), (await plugin.call('get')).text())
    context.setVariable('name', 'changed')
    console.log((await plugin.call('get')).text())
    await plugin.close()`, ['ERR_EXTISM_TIMEOUT', 'kept kept', 'changed']))

  test('as one that cannot be replaced does, to a later one', t => waits(t, `
    const { renameSync } = await import('node:fs')
    const plugin = await created(directory, { sharedVars: false })
    await plugin.call('set', 'kept')
    renameSync(directory, directory + '-gone')
    console.log(await plugin.call('trap').catch(error => error.code))
    for (let i = 0; i < 2; i++) console.log(await plugin.call('get').catch(error => error.code))
    renameSync(directory + '-gone', directory)
    console.log((await plugin.call('get')).text())
    await plugin.close()`, ['ERR_EXTISM_TRAP', 'ERR_EXTISM_INSTANCE', 'ERR_EXTISM_INSTANCE', 'kept']))

  test('takes no calls while sixteen of its own are left alone; another plugin does', t => waits(t, `
    const plugin = await created(directory, { instances: 16 })
    const neighbour = new Plugin({ wasm: [{ data }] }, true, [tell])
    const opened = Array.from({ length: 32 }, () => stopped(plugin))
    const codes = await Promise.all(opened)
    const count = code => codes.filter(each => each === code).length
    console.log(count('ERR_EXTISM_TIMEOUT'), count('ERR_EXTISM_STUCK'))
    const refused = await plugin.call('echo', '').catch(error => error)
    console.log(refused.code, refused.message)
    try { plugin.callSync('echo') } catch ({ code }) { console.log(code) }
    console.log(String(await neighbour.call('echo', 'served')))
    const { closeSync, openSync } = await import('node:fs')
    const writer = openSync(directory + '/pipe', 'r+')
    let served
    while (!served) served = await plugin.call('echo', 'again').catch(error => assert.equal(error.code, 'ERR_EXTISM_STUCK'))
    console.log(served.text())
    closeSync(writer)
    await plugin.close()`, [
    '31 1', 'ERR_EXTISM_STUCK the plugin takes no calls while 16 or more that were stopped have not ended',
    'ERR_EXTISM_STUCK', 'served', 'again'
  ]))
})
