import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { guest } from '../helpers.js'
import { FACES } from './faces.js'

const SERVE = '(func (export "serve") (call $give (call $input)))'
const SPIN = '(loop $again (br $again))'
const DEEP = `
  (func $deep (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))
  (func (export "run") (drop (call $deep (i32.const 6000))))`

/**
 * A plugin that takes more than these options allow, the code its call fails with, and with a
 * `face` where there is but one that has the limit. By default each may take as much.
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
    body: DEEP,
    options: { memory: { maxStackBytes: 65_536 } },
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
    for (const [name, { body, options, code, endless, face: only = face }] of Object.entries(LIMITS)) {
      if (only !== face) continue
      test(`of ${name} ends the call that goes beyond it, and no other`, async t => {
        const [plugin, neighbour] = await Promise.all([open(guest(body + SERVE), options), open(guest(body + SERVE))])
        t.after(() => Promise.all([plugin.close(), neighbour.close()]))
        for (let i = 0; i < 3; i++) await assert.rejects(plugin.call('run'), { code })
        assert.equal(text(await plugin.call('serve', 'next')), 'next')
        if (!endless) await neighbour.call('run')
        assert.equal(text(await neighbour.call('serve', 'neighbour')), 'neighbour')
      })
    }

    test('of the run time holds for start code', async () => {
      const calling = async () => (await open(guest(`(func $start ${SPIN}) (start $start) ${SERVE}`), { timeoutMs: 20 })).call('serve')
      await assert.rejects(calling(), { code: 'ERR_EXTISM_TIMEOUT' })
    })

    test('of the depth of calls refuses the call that is too deep', async t => {
      const data = guest(`(func (export "run") (call $descend)) ${SERVE}`, { user: '(import USER "descend" (func $descend))' })
      const plugins = []
      t.after(() => Promise.all(plugins.map(plugin => plugin.close())))
      let refused
      async function descend () {
        const next = await open(data, { maxCallDepth: 3 }, { descend })
        assert.ok(plugins.push(next) < 10)
        await next.call('run').catch(error => { refused ??= error })
      }
      await descend()
      assert.equal(refused.code, 'ERR_EXTISM_CALL_DEPTH')
      assert.equal(plugins.length, 5)
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

test('fuel that is not enough to begin a call fails each call, and the plugin can be closed', async () => {
  for (const fuel of [10, 100, 400]) {
    const plugin = await FACES.createPlugin.open(guest(SERVE), { fuel, instances: 2 })
    for (let round = 0; round < 2; round++) {
      const settled = await Promise.allSettled(Array.from({ length: 5 }, () => plugin.call('serve', 'x')))
      assert.deepEqual(settled.map(({ reason }) => reason?.code), Array(5).fill('ERR_EXTISM_FUEL'))
    }
    assert.throws(() => plugin.callSync('serve', 'x'), { code: 'ERR_EXTISM_FUEL' })
    await plugin.close()
  }
})
