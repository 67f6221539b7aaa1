import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Context, ExtismError, HostFunction, Plugin } from '../index.js'
import { outcomes } from './answering.js'
import { guest, pluginBytes, pluginPath, wat } from './helpers.js'

const MODERN = pluginBytes('modern.wat')
/** A module that takes some hundred milliseconds to compile. */
const LARGE = guest('(func (export "echo") (call $give (call $input)))' + Array.from({ length: 400 }, (_, i) => `
  (func (export "f${i}") (local i64)
    ${'(local.set 0 (i64.mul (i64.add (local.get 0) (i64.const 3)) (local.get 0)))'.repeat(100)}
    (if (i64.eqz (local.get 0)) (then unreachable)))`).join(''))
const unfit = { wasm: [{ data: wat('(module (memory 100) (func (export "run")))') }], memory: { max_pages: 50 } }

/** Counts turns of the event loop until a promise settles. */
async function ticksDuring (promise) {
  let [pending, ticks] = [true, 0]
  const tick = () => {
    ticks++
    if (pending) setImmediate(tick)
  }
  setImmediate(tick)
  try {
    await promise
  } finally {
    pending = false
  }
  return ticks
}

describe('Plugin.create', () => {
  test('makes what the constructor makes', async () => {
    const context = new Context()
    const plugin = await Plugin.create({ wasm: [{ data: MODERN }], config: { a: '1' } }, false, [], { n: '2' }, context, { instances: 2 })
    assert.ok(plugin instanceof Plugin)
    assert.deepEqual([plugin.id, plugin.ctx === context, plugin.functionExists('echo')], [0, true, true])
    assert.deepEqual(await outcomes([plugin.call('echo', 'x'), plugin.call('config', 'n'), plugin.call('config', 'a')]), ['x', '2', '1'])
    assert.equal(String(plugin.callSync('echo', 'y')), 'y')
    assert.equal((await Plugin.create(MODERN, false, [], undefined, context)).id, 1)
    context.free()
    await assert.rejects(plugin.call('echo'), { code: 'ERR_EXTISM_CLOSED' })
  })

  test('gives a plugin whose first instance is there', async () => {
    const plugin = await Plugin.create(MODERN)
    assert.equal(plugin.stats().instances, 1)
    await plugin.close()
  })

  test('lets the event loop go on while it compiles', async () => {
    const created = Plugin.create(LARGE, false, [], undefined, null, { cache: false })
    const ticks = await ticksDuring(created)
    assert.ok(ticks > 100, `${ticks} ticks`)
    const plugin = await created
    assert.equal(String(await plugin.call('echo', 'compiled')), 'compiled')
    await plugin.close()
  })

  test('reads modules from files, and from a server in the same process', async () => {
    const server = createServer((request, response) => response.end(MODERN)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${server.address().port}/modern.wat`
    for (const item of [{ path: pluginPath('modern.wat') }, { url }, { url: new URL(url) }]) {
      const plugin = await Plugin.create({ wasm: [item] })
      assert.equal(String(await plugin.call('echo', 'loaded')), 'loaded')
      await plugin.close()
    }
    server.closeAllConnections()
    server.close()
  })

  test('twenty at a time are twenty plugins', async () => {
    const plugins = await Promise.all(Array.from({ length: 20 }, () => Plugin.create(MODERN)))
    assert.deepEqual(await outcomes(plugins.map((plugin, i) => plugin.call('echo', `${i}`))), plugins.map((_, i) => `${i}`))
    await Promise.all(plugins.map(plugin => plugin.close()))
  })
})

describe('Plugin.create rejects, and never throws, where the constructor throws', () => {
  const messages = []
  const freed = new Context()
  freed.free()
  const hear = new HostFunction('hear', [], [], () => {})
  const CASES = {
    'no manifest': [],
    'a manifest of another type': [5],
    'a manifest that is not JSON': ['{'],
    'a manifest without modules': [{ wasm: [] }],
    'a module that is none': ['(module'],
    'bytes that are no module': [Buffer.from([0, 97, 115, 109, 9, 9, 9, 9])],
    'a module that is not valid': ['(module (func (result i32)))'],
    'a file that is not there': [{ wasm: [{ path: '/nowhere/plugin.wasm' }] }],
    'a host that is not there': [{ wasm: [{ url: 'http://127.0.0.1:1/plugin.wasm' }] }],
    'another hash': [{ wasm: [{ data: MODERN, hash: '0'.repeat(64) }] }],
    'an import that nothing provides': [guest('', { user: '(import USER "absent" (func))' })],
    'a host function of another type': [guest('', { user: '(import USER "hear" (func (param i32)))' }), false, [hear]],
    'WASI that is not enabled': [wat('(module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32))))')],
    'a limit that is none': [{ wasm: [{ data: MODERN }], memory: { max_pages: 0 } }],
    'a timeout that is none': [{ wasm: [{ data: MODERN }], timeout_ms: -1 }],
    'paths that are none': [{ wasm: [{ data: MODERN }], allowed_paths: { a: 1 } }],
    'hosts that are none': [{ wasm: [{ data: MODERN }], allowed_hosts: 'a' }],
    'functions that are no array': [MODERN, false, hear],
    'a function that is none': [MODERN, false, [() => {}]],
    'a config of other types': [MODERN, false, [], { a: 1 }],
    'a context that is none': [MODERN, false, [], undefined, {}],
    'a context that was freed': [MODERN, false, [], undefined, freed],
    'options that are none': [MODERN, false, [], undefined, null, 5],
    'instances that are none': [MODERN, false, [], undefined, null, { instances: 0 }],
    'a maxQueue that is none': [MODERN, false, [], undefined, null, { maxQueue: -1 }],
    'a queueTimeoutMs that is none': [MODERN, false, [], undefined, null, { queueTimeoutMs: NaN }],
    'a cache that is none': [MODERN, false, [], undefined, null, { cache: 5 }]
  }
  for (const [name, args] of Object.entries(CASES)) {
    test(name, async () => {
      let expected
      assert.throws(() => new Plugin(...args), error => { expected = error; return true })
      const promise = Plugin.create(...args)
      assert.ok(promise instanceof Promise)
      const error = await promise.then(() => assert.fail('it was made'), error => error)
      messages.push([error.message, expected.message])
      assert.deepEqual([error.name, error.code], [expected.name, expected.code])
      assert.equal(error instanceof ExtismError, expected instanceof ExtismError)
    })
  }

  test('in the same words', () => {
    assert.equal(messages.length, Object.keys(CASES).length)
    assert.deepEqual(messages.map(([created]) => created), messages.map(([, constructed]) => constructed))
  })

  test('and what the first call would reject with', async () => {
    await assert.rejects(Plugin.create(unfit), { name: 'ExtismError', code: 'ERR_EXTISM_OUT_OF_MEMORY' })
  })

  test('and leaves nothing in the context', async () => {
    const context = new Context()
    await outcomes([Plugin.create('(module', false, [], undefined, context), Plugin.create(unfit, false, [], undefined, context)])
    const plugin = await Plugin.create(MODERN, false, [], undefined, context)
    context.reset()
    await assert.rejects(plugin.call('echo'), { code: 'ERR_EXTISM_CLOSED' })
  })
})

describe('a context that goes while Plugin.create is at work', () => {
  for (const [name, end] of Object.entries({ freed: context => context.free(), reset: context => context.reset() })) {
    test(`is ${name}: rejects with ERR_EXTISM_CLOSED, at any moment`, async () => {
      for (const cache of [true, false]) {
        for (let ticks = 0; ticks < 4; ticks++) {
          const context = new Context()
          const created = Plugin.create({ wasm: [{ path: pluginPath('modern.wat') }] }, false, [], undefined, context, { cache })
          const settled = created.then(plugin => plugin.call('echo', 'made before'), error => error.code)
          for (let tick = 0; tick < ticks; tick++) await new Promise(setImmediate)
          end(context)
          const outcome = await settled.catch(error => error.code)
          assert.equal(String(outcome), 'ERR_EXTISM_CLOSED')
        }
      }
    })
  }
})
