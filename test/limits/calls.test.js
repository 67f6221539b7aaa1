import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { KNOWS_AFTER_AWAIT, guest, wat } from '../helpers.js'
import { FACES } from './faces.js'

const SERVE = '(func (export "serve") (call $give (call $input)))'
const SPIN = '(loop $again (br $again))'
/** A call of $deep takes some 32 bytes of stack. */
const RECURSE = `
  (func $deep (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))`
const recursing = depth => `${RECURSE} (func (export "run") (drop (call $deep (i32.const ${depth}))))`

/**
 * A plugin that takes more than these options allow, the code its call fails with, and with a
 * `face` where there is but one that has the limit. By default each may take as much, or else with
 * the options of `neighbour`.
 */
const LIMITS = {
  'linear memory': {
    body: '(func (export "run") (drop (memory.grow (i32.const 200))))',
    options: { memory: { pages: 100 } },
    code: 'ERR_EXTISM_OUT_OF_MEMORY'
  },
  'linear memory and blocks together': {
    body: '(func (export "run") (drop (memory.grow (i32.const 90))) (call $store_u8 (call $alloc (i64.const 1000000)) (i32.const 1)))',
    options: { memory: { pages: 100 } },
    code: 'ERR_EXTISM_OUT_OF_MEMORY'
  },
  'the output': {
    body: '(func (export "run") (call $give (call $alloc (i64.const 101))))',
    options: { memory: { maxOutputBytes: 100 } },
    code: 'ERR_EXTISM_OUT_OF_MEMORY'
  },
  'the stack': {
    body: recursing(60_000),
    options: { memory: { maxStackBytes: 65_536 } },
    neighbour: { memory: { maxStackBytes: 2 << 20 } },
    code: 'ERR_EXTISM_TRAP'
  },
  'the run time': {
    body: `(func (export "run") ${SPIN})`,
    options: { timeoutMs: 20 },
    code: 'ERR_EXTISM_TIMEOUT',
    endless: true
  },
  fuel: {
    body: `(func (export "run") ${SPIN})`,
    options: { fuel: 100_000 },
    code: 'ERR_EXTISM_FUEL',
    face: 'createPlugin',
    endless: true
  }
}

for (const [face, { open, text }] of Object.entries(FACES)) {
  describe(`in ${face}, the limit`, () => {
    for (const [name, { body, options, neighbour: more, code, endless, face: only = face }] of Object.entries(LIMITS)) {
      if (only !== face) continue
      test(`of ${name} ends the call that goes beyond it, and no other`, async t => {
        const [plugin, neighbour] = await Promise.all([open(guest(body + SERVE), options), open(guest(body + SERVE), more)])
        t.after(() => Promise.all([plugin.close(), neighbour.close()]))
        for (let i = 0; i < 3; i++) await assert.rejects(plugin.call('run'), { code })
        assert.equal(text(await plugin.call('serve', 'next')), 'next')
        if (!endless) await neighbour.call('run')
        assert.equal(text(await neighbour.call('serve', 'neighbour')), 'neighbour')
      })
    }

    test('of the stack is 1, 4 or 16 MiB: the least of these that is as much as was asked for', async t => {
      const CLASSES = [[1, 64 << 10], [1, 1 << 20], [4, (1 << 20) + 1], [4, 4 << 20], [16, (4 << 20) + 1], [16, 16 << 20]]
      for (const [mib, maxStackBytes] of CLASSES) {
        const [fitting, deeper] = [20_000, 60_000].map(depth => guest(recursing(depth * mib)))
        const plugins = await Promise.all([fitting, deeper].map(code => open(code, { memory: { maxStackBytes } })))
        t.after(() => Promise.all(plugins.map(plugin => plugin.close())))
        await plugins[0].call('run')
        await assert.rejects(plugins[1].call('run'), { code: 'ERR_EXTISM_TRAP' })
        plugins[0].callSync('run')
        assert.throws(() => plugins[1].callSync('run'), { code: 'ERR_EXTISM_TRAP' })
      }
    })

    test('of the run time holds for start code', async () => {
      const calling = async () => (await open(guest(`(func $start ${SPIN}) (start $start) ${SERVE}`), { timeoutMs: 20 })).call('serve')
      await assert.rejects(calling(), { code: 'ERR_EXTISM_TIMEOUT' })
    })

    test('of the depth of calls refuses the call that is too deep', async t => {
      const data = guest(`(func (export "run") (call $descend)) ${SERVE}`, { user: '(import USER "descend" (func $descend))' })
      const plugins = []
      t.after(() => Promise.all(plugins.map(plugin => plugin.close())))
      let [refused, at] = [undefined, 0]
      // Each calls the next one before its first await, which is known in any Node.js.
      const descend = () => plugins[at++].call('run').catch(error => { refused ??= error })
      for (let i = 0; i < 6; i++) plugins.push(await open(data, { maxCallDepth: 3 }, { descend }))
      await descend()
      assert.equal(refused.code, 'ERR_EXTISM_CALL_DEPTH')
      assert.equal(at, 5)
      for (const plugin of plugins) assert.equal(text(await plugin.call('serve', 'next')), 'next')
    })

    test('of the depth of calls holds after an await where Node.js knows the caller for free', async t => {
      const data = guest(`(func (export "run") (call $descend)) ${SERVE}`, { user: '(import USER "descend" (func $descend))' })
      const plugins = []
      t.after(() => Promise.all(plugins.map(plugin => plugin.close())))
      let [refused, at] = [undefined, 0]
      const descend = async () => {
        await null
        if (at < plugins.length) await plugins[at++].call('run').catch(error => { refused ??= error })
      }
      for (let i = 0; i < 6; i++) plugins.push(await open(data, { maxCallDepth: 3 }, { descend }))
      await descend()
      assert.deepEqual([refused?.code, at], KNOWS_AFTER_AWAIT ? ['ERR_EXTISM_CALL_DEPTH', 5] : [undefined, 6])
      for (const plugin of plugins) assert.equal(text(await plugin.call('serve', 'next')), 'next')
    })

    test('of the depth of calls holds for callSync', async t => {
      const data = guest(`(func (export "run") (call $descend)) ${SERVE}`, { user: '(import USER "descend" (func $descend))' })
      const plugins = []
      t.after(() => Promise.all(plugins.map(plugin => plugin.close())))
      let refused
      let at = 0
      function descend () {
        try {
          plugins[at++].callSync('run')
        } catch (error) {
          refused ??= error
        }
      }
      for (let i = 0; i < 5; i++) plugins.push(await open(data, { maxCallDepth: 3 }, { descend }))
      descend()
      assert.equal(refused?.code, 'ERR_EXTISM_CALL_DEPTH')
      assert.equal(at, 5)
    })
  })
}

test('fuel that is not enough for a call fails each call, and the plugin can be closed', async () => {
  for (const fuel of [1, 10, 50]) {
    const plugin = await FACES.createPlugin.open(guest(SERVE), { fuel, instances: 2 })
    for (let round = 0; round < 2; round++) {
      const settled = await Promise.allSettled(Array.from({ length: 5 }, () => plugin.call('serve', 'x')))
      assert.deepEqual(settled.map(({ reason }) => reason?.code), Array(5).fill('ERR_EXTISM_FUEL'))
    }
    assert.throws(() => plugin.callSync('serve', 'x'), { code: 'ERR_EXTISM_FUEL' })
    await plugin.close()
  }
})

test('fuel that is not enough to make an instance fails with ERR_EXTISM_FUEL', async () => {
  const starting = guest('(func $start (local $i i32) (loop $again (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))) (start $start)' + SERVE)
  await assert.rejects(async () => (await FACES.createPlugin.open(starting, { fuel: 100 })).call('serve'), { code: 'ERR_EXTISM_FUEL' })
})

test('fuel pays for no data that a module begins with, with WASI or without', async t => {
  for (const wasi of ['', '(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))']) {
    const code = wat(`(module ${wasi} (memory (export "memory") 4) (data (i32.const 0) "${'x'.repeat(100_000)}") (func (export "run")))`)
    const plugin = await FACES.createPlugin.open(code, { fuel: 1_000, useWasi: true })
    t.after(() => plugin.close())
    await plugin.call('run')
  }
})
