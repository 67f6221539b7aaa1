import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Context, Plugin, createPlugin } from '../../index.js'
import { prints, run, wat } from '../helpers.js'
import { FACES } from './faces.js'

const MIB = 1 << 20
const LIMITED = { compileTimeoutMs: 60_000, maxCompileMemoryBytes: 1024 * MIB }

const LOOPS = 20_000
/** Takes half a minute to compile. */
const SLOW = wat(`(module (func (export "run") ${'loop '.repeat(LOOPS)}${'end '.repeat(LOOPS)}))`)

/** Takes gigabytes to compile: each loop merges what each local may be. */
const LARGE = wat(`(module (func (export "run") (local ${'i64 '.repeat(20_000)})
  ${Array.from({ length: 20_000 }, (_, i) => `(loop (local.set ${i} (i64.const 1))`).join(' ')} (br_if 0 (i32.const 0)) ${')'.repeat(20_000)}))`)

let modules = 0
/** A module that no other test has. */
function small () {
  return wat(`(module (func (export "run") (drop (i32.const ${++modules}))))`)
}

/**
 * An empty cache, a directory for temporary files, and the numbers of the processes that were started
 * to compile. Node.js is started by way of a script that writes them down.
 */
function watched (t) {
  const directory = mkdtempSync(path.join(tmpdir(), 'extism-napi-test-'))
  const [cache, temporary, pids, node] = ['cache', 'temporary', 'pids', 'node'].map(name => path.join(directory, name))
  const { execPath, env: { TMPDIR } } = process
  mkdirSync(temporary)
  writeFileSync(pids, '')
  writeFileSync(node, `#!/bin/sh\necho $$ >> '${pids}'\nexec '${execPath}' "$@"\n`, { mode: 0o755 })
  process.execPath = node
  process.env.TMPDIR = temporary
  t.after(() => {
    process.execPath = execPath
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    rmSync(directory, { recursive: true, force: true })
  })
  const children = () => readFileSync(pids, 'utf8').split('\n').filter(Boolean).map(Number)
  const files = () => existsSync(cache) ? readdirSync(cache).filter(name => name.endsWith('.cwasm')).length : 0
  return { directory, cache, temporary, pids, children, files, left: () => readdirSync(temporary) }
}

/** Waits until there is a value. */
async function eventually (f) {
  for (;;) {
    const value = f()
    if (value) return value
    await sleep(5)
  }
}

function isRunning (pid) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A plugin of either API that has run. */
async function ran (face, data, options) {
  const plugin = await face.open(data, options)
  try {
    await plugin.call('run')
  } finally {
    await plugin.close()
  }
}

for (const [api, face] of Object.entries(FACES)) {
  describe(`compiling a plugin of ${api}`, () => {
    test('that takes longer than compileTimeoutMs ends', async t => {
      const { cache, children, files, left } = watched(t)
      await assert.rejects(ran(face, SLOW, { cache, compileTimeoutMs: 500 }), {
        name: 'ExtismError', code: 'ERR_EXTISM_COMPILE_LIMIT', message: /module "main" .* 500 ms \(compileTimeoutMs\)/
      })
      assert.equal(children().length, 1)
      assert.deepEqual([children().some(isRunning), files(), left()], [false, 0, []])
    })

    test('that takes more memory than maxCompileMemoryBytes ends', async t => {
      const { cache, children, files, left } = watched(t)
      await assert.rejects(ran(face, LARGE, { cache, maxCompileMemoryBytes: 100 * MIB }), {
        name: 'ExtismError', code: 'ERR_EXTISM_COMPILE_LIMIT', message: /module "main" .* 104857600 bytes .*\(maxCompileMemoryBytes\)/
      })
      assert.deepEqual([children().some(isRunning), files(), left()], [false, 0, []])
      await ran(face, small(), { cache, maxCompileMemoryBytes: 100 * MIB })
    })

    test('that takes less is as without limits, and needs a process once', async t => {
      const { cache, children, files, left } = watched(t)
      const data = small()
      await ran(face, data, { ...LIMITED, cache })
      assert.deepEqual([children().length, files(), left()], [1, 1, []])
      await prints(`
        process.execPath = '/missing'
        const options = ${JSON.stringify({ ...LIMITED, cache })}
        const data = Buffer.from(${JSON.stringify(String(data))})
        const plugin = await createPlugin({ wasm: [{ data }] }, options)
        await plugin.call('run')
        console.log('ran')`, 'ran')
    })

    test('without a cache, or with one that cannot be used, leaves nothing behind', async t => {
      const { directory, children, left } = watched(t)
      const foreign = path.join(directory, 'foreign')
      mkdirSync(foreign)
      chmodSync(foreign, 0o777)
      for (const cache of [false, foreign]) await ran(face, small(), { ...LIMITED, cache })
      assert.deepEqual([children().length, left(), readdirSync(foreign)], [2, [], []])
    })

    test('works where the cache goes away', async t => {
      const { cache, files, left } = watched(t)
      await ran(face, small(), { ...LIMITED, cache })
      rmSync(cache, { recursive: true })
      writeFileSync(cache, '')
      await ran(face, small(), { ...LIMITED, cache })
      rmSync(cache)
      assert.deepEqual([files(), left()], [0, []])
    })

    test('with fuel and a large stack gives code for these', async t => {
      const { children } = watched(t)
      await ran(face, small(), { ...LIMITED, cache: false, fuel: 1000, memory: { maxStackBytes: 16 * MIB } })
      assert.equal(children().length, 1)
    })

    test('takes one process for the same module', async t => {
      const { children } = watched(t)
      const data = small()
      const plugins = await Promise.all(Array.from({ length: 5 }, () => face.open(data, { ...LIMITED, cache: false })))
      await Promise.all(plugins.map(plugin => plugin.call('run')))
      assert.equal(children().length, 1)
      await Promise.all(plugins.map(plugin => plugin.close()))
    })

    test('fails where its process is killed', async t => {
      const { children, left } = watched(t)
      const failed = assert.rejects(ran(face, SLOW, { ...LIMITED, cache: false }), {
        name: 'ExtismError', code: 'ERR_EXTISM_COMPILE_PROCESS', message: /module "main" .*SIGKILL/
      })
      await eventually(() => left().length === 1 && children().length === 1)
      process.kill(children()[0], 'SIGKILL')
      await failed
      assert.deepEqual(left(), [])
    })

    test('fails where there is no process to be had, or no directory', async t => {
      const { temporary } = watched(t)
      const failed = { name: 'ExtismError', code: 'ERR_EXTISM_COMPILE_PROCESS' }
      process.env.TMPDIR = path.join(temporary, 'missing')
      await assert.rejects(ran(face, small(), { ...LIMITED, cache: false }), failed)
      process.env.TMPDIR = temporary
      process.execPath = '/missing'
      await assert.rejects(ran(face, small(), { ...LIMITED, cache: false }), failed)
    })

    test('says what the compiler says', async t => {
      const { left } = watched(t)
      const data = wat(`(module (func (export "run") (block (br_table${' 0'.repeat(100_000)} (i32.const 5)))))`)
      const message = async options => (await ran(face, data, { cache: false, ...options }).catch(error => error)).message.replace(/plugin \d+/, 'plugin')
      const expected = await message()
      assert.match(expected, /cannot be compiled/)
      assert.deepEqual([await message(LIMITED), left()], [expected, []])
    })

    test('takes none of what is in NODE_OPTIONS, and keeps nothing of the event loop', async t => {
      const { children } = watched(t)
      process.env.NODE_OPTIONS = '--require=/missing'
      t.after(() => { delete process.env.NODE_OPTIONS })
      let [turns, pending] = [0, true]
      const turn = () => {
        turns++
        if (pending) setImmediate(turn)
      }
      turn()
      await ran(face, small(), { ...LIMITED, cache: false })
      pending = false
      assert.equal(children().length, 1)
      assert.ok(turns > 100, `${turns} turns`)
    })

    test('has no limits by default, with 0 and with Infinity', async t => {
      const { children } = watched(t)
      for (const none of [undefined, null, Infinity, 0]) await ran(face, small(), { cache: false, compileTimeoutMs: none, maxCompileMemoryBytes: none || undefined })
      await ran(face, small(), { cache: false, maxCompileMemoryBytes: Infinity })
      assert.deepEqual(children(), [])
      for (const bad of [-1, NaN]) await assert.rejects(async () => face.open(small(), { compileTimeoutMs: bad }), { name: 'RangeError', message: /compileTimeoutMs/ })
      for (const bad of [-1, 0, 1.5, NaN]) await assert.rejects(async () => face.open(small(), { maxCompileMemoryBytes: bad }), { name: 'RangeError', message: /maxCompileMemoryBytes/ })
      await assert.rejects(async () => face.open(small(), { maxCompileMemoryBytes: '1' }), { name: 'TypeError', message: /maxCompileMemoryBytes/ })
    })
  })
}

test('a process that compiles ends when its plugin is closed', async t => {
  const { children, left } = watched(t)
  const plugin = new Plugin(SLOW, false, [], undefined, null, { ...LIMITED, cache: false })
  const [pid] = await eventually(() => children().length && children())
  await plugin.close()
  await eventually(() => !isRunning(pid) && left().length === 0)
})

test('a process that compiles ends when the context of its plugin is freed', async t => {
  const { children, left } = watched(t)
  const context = new Context()
  const created = assert.rejects(Plugin.create(SLOW, false, [], undefined, context, { ...LIMITED, cache: false }), { code: 'ERR_EXTISM_CLOSED' })
  const [pid] = await eventually(() => children().length && children())
  context.free()
  await created
  assert.deepEqual([isRunning(pid), left()], [false, []])
})

test('a process that compiles an update ends when its plugin is closed', async t => {
  const { children, left } = watched(t)
  const plugin = await createPlugin({ wasm: [{ data: small() }] }, { cache: false })
  const updated = assert.rejects(plugin.update({ wasm: [{ data: SLOW }] }, { ...LIMITED, cache: false }), { code: 'ERR_EXTISM_CLOSED' })
  const [pid] = await eventually(() => children().length && children())
  await plugin.close()
  await updated
  assert.deepEqual([isRunning(pid), left()], [false, []])
})

test('a callSync waits for the process that compiles', t => {
  const { children } = watched(t)
  const plugin = new Plugin(small(), false, [], undefined, null, { ...LIMITED, cache: false })
  assert.equal(String(plugin.callSync('run')), '')
  assert.equal(children().length, 1)
  plugin.free()
})

for (const [how, end] of Object.entries({ 'is killed': "process.kill(process.pid, 'SIGKILL')", exits: 'process.exit()' })) {
  test(`a process that compiles ends, and removes its directory, when its parent ${how}`, async t => {
    const { temporary, pids, children, left } = watched(t)
    await run(`
      const { readFileSync, readdirSync } = await import('node:fs')
      process.execPath = ${JSON.stringify(process.execPath)}
      const data = wat('(module (func (export "run") ' + 'loop '.repeat(${LOOPS}) + 'end '.repeat(${LOOPS}) + '))')
      createPlugin({ wasm: [{ data }] }, { cache: false, maxCompileMemoryBytes: 1e9 })
      while (readdirSync(${JSON.stringify(temporary)}).length === 0 || readFileSync(${JSON.stringify(pids)}).length === 0) await new Promise(resolve => setTimeout(resolve, 5))
      ${end}`, { env: { TMPDIR: temporary } })
    const [pid] = children()
    await eventually(() => !isRunning(pid) && left().length === 0)
  })
}

test('a process that compiles ends when the worker thread of its plugin does', async t => {
  const { children, left } = watched(t)
  const worker = new Worker(`
    const { workerData } = require('node:worker_threads')
    process.execPath = workerData.execPath
    import(workerData.index).then(({ createPlugin }) => createPlugin({ wasm: [{ data: workerData.data }] }, { cache: false, maxCompileMemoryBytes: 1e9 }))`,
  { eval: true, workerData: { execPath: process.execPath, index: new URL('../../index.js', import.meta.url).href, data: SLOW } })
  const [pid] = await eventually(() => children().length && children())
  await worker.terminate()
  await eventually(() => !isRunning(pid) && left().length === 0)
})
