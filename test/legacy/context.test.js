import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Context, HostFunction, Plugin, ValType, withContext } from '../../index.js'
import { guest, pluginBytes, signal } from '../helpers.js'

const ECHO = pluginBytes('modern.wat')
const CLOSED = { name: 'ExtismError', code: 'ERR_EXTISM_CLOSED', message: /^Plugin error: / }

/** A plugin that waits in a host function: what says that it does, and what lets it go on. */
function waiting (make) {
  const [started, start] = signal()
  const [released, release] = signal()
  const wait = new HostFunction('wait', [], [], () => {
    start()
    return released
  })
  const plugin = make(guest('(func (export "wait") (call $wait) (call $give (call $input)))', {
    user: '(import USER "wait" (func $wait))'
  }), [wait])
  return { plugin, started, release }
}

describe('new Context() and ctx.plugin(manifest, wasi, functions, config)', () => {
  test('a context makes plugins, synchronously', async () => {
    const ctx = new Context()
    const plugin = ctx.plugin(ECHO)
    assert.ok(plugin instanceof Plugin)
    assert.equal((await plugin.call('echo', 'hello')).toString(), 'hello')
    ctx.free()
  })

  test('functions and config reach the plugin', async () => {
    const ctx = new Context()
    const name = new HostFunction('name', [], [ValType.I64], (plugin, inputs, outputs) => plugin.returnString(outputs[0], 'key'))
    const plugin = ctx.plugin(guest('(func (export "value") (call $give (call $config_get (call $name))))', {
      user: '(import USER "name" (func $name (result i64)))'
    }), false, [name], { key: 'value' })
    assert.equal((await plugin.call('value')).toString(), 'value')
    ctx.free()
  })

  test('what is wrong is thrown at once, as an Error with a code', () => {
    const ctx = new Context()
    assert.throws(() => ctx.plugin('not a module'), { name: 'ExtismError', code: 'ERR_EXTISM_MODULE' })
    assert.throws(() => ctx.plugin('(module (import "a" "b" (func)))'), { name: 'ExtismError', code: 'ERR_EXTISM_LINK' })
    assert.throws(() => ctx.plugin('{}'), { name: 'ExtismError', code: 'ERR_EXTISM_MANIFEST' })
    assert.throws(() => ctx.plugin(5), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    ctx.free()
  })

  test('functions must be an array of host functions', () => {
    const ctx = new Context()
    assert.throws(() => ctx.plugin(ECHO, false, {}), { name: 'TypeError', message: /functions must be an array/ })
    assert.throws(() => ctx.plugin(ECHO, false, [() => {}]), { name: 'TypeError', message: /functions must be a HostFunction; got a function/ })
    ctx.free()
  })
})

describe('ctx.free() and ctx.reset()', () => {
  test('free frees the plugins, and the context is unusable', async () => {
    const ctx = new Context()
    const plugins = [ctx.plugin(ECHO), ctx.plugin(ECHO)]
    ctx.free()
    for (const plugin of plugins) await assert.rejects(plugin.call('echo'), CLOSED)
    assert.throws(() => ctx.plugin(ECHO), { code: 'ERR_EXTISM_CLOSED', message: /No Context set/ })
  })

  test('reset frees the plugins, and the context stays usable', async () => {
    const ctx = new Context()
    const plugin = ctx.plugin(ECHO)
    ctx.reset()
    await assert.rejects(plugin.call('echo'), CLOSED)
    assert.equal((await ctx.plugin(ECHO).call('echo', 'again')).toString(), 'again')
    ctx.free()
  })

  test('both are idempotent, in any order', async () => {
    const ctx = new Context()
    ctx.reset()
    ctx.reset()
    ctx.plugin(ECHO)
    ctx.free()
    ctx.free()
    ctx.reset()
    assert.throws(() => ctx.plugin(ECHO), { code: 'ERR_EXTISM_CLOSED' })
  })

  test('plugins of another context are left alone', async () => {
    const [first, second] = [new Context(), new Context()]
    const plugin = second.plugin(ECHO)
    first.plugin(ECHO)
    first.free()
    assert.equal((await plugin.call('echo', 'here')).toString(), 'here')
    second.free()
  })

  for (const how of ['free', 'reset']) {
    test(`${how} lets a call in flight finish`, async () => {
      const ctx = new Context()
      const { plugin, started, release } = waiting((wasm, functions) => ctx.plugin(wasm, false, functions))
      const call = plugin.call('wait', 'finished')
      await started
      ctx[how]()
      await assert.rejects(plugin.call('wait'), CLOSED)
      release()
      assert.equal((await call).toString(), 'finished')
      ctx.free()
    })
  }
})

describe('withContext(f)', () => {
  test('gives what the callback gives', async () => {
    const output = await withContext(async ctx => {
      assert.ok(ctx instanceof Context)
      return ctx.plugin(ECHO).call('echo', 'result')
    })
    assert.equal(output.toString(), 'result')
    assert.equal(await withContext(() => 'synchronous'), 'synchronous')
  })

  test('frees the context at the end', async () => {
    const [ctx, plugin] = await withContext(async ctx => [ctx, ctx.plugin(ECHO)])
    await assert.rejects(plugin.call('echo'), CLOSED)
    assert.throws(() => ctx.plugin(ECHO), { code: 'ERR_EXTISM_CLOSED' })
  })

  test('frees the context also on error, and passes that on', async () => {
    const error = new Error('mine')
    for (const fail of [() => { throw error }, async () => { throw error }]) {
      let plugin
      const promise = withContext(ctx => {
        plugin = ctx.plugin(ECHO)
        return fail()
      })
      await assert.rejects(promise, thrown => thrown === error)
      await assert.rejects(plugin.call('echo'), CLOSED)
    }
  })

  test('rejects what is no function', async () => {
    await assert.rejects(withContext(5), { name: 'TypeError', message: /f must be a function; got 5/ })
  })
})

describe('new Plugin(manifest, wasi, functions, config, ctx)', () => {
  test('has a context of its own when none is given', async () => {
    for (const plugin of [new Plugin(ECHO), new Plugin(ECHO, false, [], undefined, null)]) {
      assert.ok(plugin.ctx instanceof Context)
      plugin.ctx.free()
      await assert.rejects(plugin.call('echo'), CLOSED)
    }
    assert.notEqual(new Plugin(ECHO).ctx, new Plugin(ECHO).ctx)
  })

  test('belongs to the context that is given', async () => {
    const ctx = new Context()
    const plugin = new Plugin(ECHO, false, [], {}, ctx)
    assert.equal(plugin.ctx, ctx)
    ctx.free()
    await assert.rejects(plugin.call('echo'), CLOSED)
    assert.throws(() => new Plugin(ECHO, false, [], {}, ctx), { code: 'ERR_EXTISM_CLOSED', message: /No Context set/ })
  })

  test('refuses a context that is none', () => {
    assert.throws(() => new Plugin(ECHO, false, [], {}, {}), { name: 'TypeError', message: /ctx must be a Context/ })
  })
})

describe('plugin.id and plugin.ctx', () => {
  test('the plugins of a context have numbers of their own', () => {
    const ctx = new Context()
    const ids = [ctx.plugin(ECHO).id, ctx.plugin(ECHO).id, ctx.plugin(ECHO).id]
    for (const id of ids) assert.ok(Number.isInteger(id))
    assert.equal(new Set(ids).size, 3)
    ctx.free()
  })

  test('ctx is the context that made it', () => {
    const ctx = new Context()
    assert.equal(ctx.plugin(ECHO).ctx, ctx)
    ctx.free()
  })
})

describe('plugin.free()', () => {
  test('a call on a freed plugin is rejected, and names the function', async () => {
    const plugin = new Plugin(ECHO)
    await plugin.call('echo')
    plugin.free()
    await assert.rejects(plugin.call('echo'), { ...CLOSED, function: 'echo' })
  })

  test('is idempotent', async () => {
    const plugin = new Plugin(ECHO)
    plugin.free()
    plugin.free()
    await assert.rejects(plugin.call('echo'), CLOSED)
  })

  test('does nothing to the other plugins of the context', async () => {
    const ctx = new Context()
    const [first, second] = [ctx.plugin(ECHO), ctx.plugin(ECHO)]
    first.free()
    assert.equal((await second.call('echo', 'here')).toString(), 'here')
    ctx.free()
  })

  test('calls in flight and calls in the queue are finished', async () => {
    const { plugin, started, release } = waiting((wasm, functions) => new Plugin(wasm, false, functions))
    const calls = [plugin.call('wait', '1'), plugin.call('wait', '2')]
    await started
    plugin.free()
    release()
    assert.deepEqual((await Promise.all(calls)).map(String), ['1', '2'])
  })

  test('is safe before the plugin has run anything', async () => {
    const plugin = new Plugin(ECHO)
    const call = plugin.call('echo', 'first')
    plugin.free()
    assert.equal((await call).toString(), 'first')
  })
})
