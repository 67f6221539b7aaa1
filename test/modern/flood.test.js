import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { guest, prints } from '../helpers.js'
import { made } from './making.js'

/** `some` logs 20,000 messages, `forever` does not stop. */
const CODE = guest(`
  (data (i32.const 0) "text")
  (func $say (call $log_info (call $put (i32.const 0) (i32.const 4))))
  (func (export "some") (local $i i32)
    (loop $next
      (call $say)
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 20000)))))
  (func (export "forever") (loop $next (call $say) (br $next)))`)

describe('a plugin that logs without end', () => {
  test('leaves the event loop turning, and ends with its timeout', async t => {
    const plugin = await made(t, CODE, { logLevel: 'info', timeoutMs: 500, logger: { info () {} } })
    let [running, turns] = [true, 0]
    const turn = () => {
      turns++
      if (running) setImmediate(turn)
    }
    setImmediate(turn)
    await assert.rejects(plugin.call('forever'), { code: 'ERR_EXTISM_TIMEOUT' })
    running = false
    assert.ok(turns > 10, `${turns} turns`)
  })

  test('can be aborted by a timer', async t => {
    const plugin = await made(t, CODE, { logLevel: 'info', timeoutMs: 20_000, logger: { info () {} } })
    await assert.rejects(plugin.call('forever', '', null, { signal: AbortSignal.timeout(50) }), { code: 'ABORT_ERR' })
  })

  test('has none of its messages dropped', async t => {
    let count = 0
    const plugin = await made(t, CODE, { logLevel: 'info', logger: { info: () => count++, warn: message => assert.fail(message) } })
    await plugin.call('some')
    assert.equal(count, 20_000)
  })

  test('has them delivered while callSync runs, in order', async t => {
    let count = 0
    const seen = []
    const plugin = await made(t, CODE, { logLevel: 'info', logger: { info: () => count++, warn: message => assert.fail(message) } })
    for (let i = 1; i <= 3; i++) {
      plugin.callSync('some')
      seen.push(count)
    }
    assert.deepEqual(seen, [20_000, 40_000, 60_000])
  })

  test('ends with its timeout in callSync', async t => {
    const plugin = await made(t, CODE, { logLevel: 'info', timeoutMs: 200, logger: { info () {} } })
    assert.throws(() => plugin.callSync('forever'), { code: 'ERR_EXTISM_TIMEOUT' })
  })
})

test('a logger that refers to its plugin does not keep it', () => prints(`
  let collected = 0
  const registry = new FinalizationRegistry(() => collected++)
  const make = async () => {
    const logger = { info: () => plugin }
    const plugin = await createPlugin(wat('(module (func (export "run")))'), { logger, logLevel: 'info' })
    await plugin.call('run')
    registry.register(plugin)
  }
  for (let i = 0; i < 5; i++) await make()
  for (let i = 0; i < 200 && collected < 5; i++) { gc(); await new Promise(setImmediate) }
  console.log(collected)`, '5', { flags: ['--expose-gc'] }))

test('what a plugin with WASI prints arrives in full and in order, however slowly it is read', () => prints(`
  const { spawn } = await import('node:child_process')
  const script = \`
    const { createPlugin } = await import(process.argv[1])
    const code = Buffer.from('(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32))) (memory (export "memory") 20) (func (export "run") (result i32) (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 1000000)) (memory.fill (i32.const 65536) (i32.const 65) (i32.const 1000000)) (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))')
    const plugin = await createPlugin(code, { useWasi: true, enableWasiOutput: true })
    process.stdout.write('before')
    await plugin.call('run')
    process.stdout.write('after')
    await plugin.close()\`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, ${JSON.stringify(new URL('../../index.js', import.meta.url).href)}], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  for await (const chunk of child.stdout) {
    text += chunk
    await new Promise(setImmediate)
  }
  console.log(text === 'before' + 'A'.repeat(1_000_000) + 'after', text.length)`, 'true 1000011'))

test('output that cannot be printed makes the process emit a warning, and holds up nothing', () => prints(`
  const code = wat('(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32))) (memory (export "memory") 1) (func (export "run") (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 4)) (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (unreachable)))')
  const plugin = await createPlugin(code, { useWasi: true, enableWasiOutput: true })
  const write = process.stdout.write
  process.stdout.write = () => { throw new Error('no output') }
  const warned = once(process, 'warning')
  const { code: ended } = await plugin.call('run').catch(error => error)
  const [{ message }] = await warned
  process.stdout.write = write
  console.log(ended, message)
  await plugin.close()`, 'ERR_EXTISM_TRAP what a plugin wrote to stdout cannot be printed: no output'))
