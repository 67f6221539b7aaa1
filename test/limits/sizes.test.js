import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { guest, wat } from '../helpers.js'
import { FACES } from './faces.js'

const SERVE = '(func (export "serve") (call $give (call $input)))'

for (const [face, { open, text }] of Object.entries(FACES)) {
  describe(`in ${face}, a memory`, () => {
    const growing = maximum => wat(`(module
      (memory (export "memory") 1 ${maximum})
      (func (export "grow") (if (i32.ne (memory.grow (i32.const 1)) (i32.const 1)) (then (unreachable))))
      (func (export "stays") (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable))))
      (func (export "grow50") (drop (memory.grow (i32.const 50))))
      (func (export "serve")))`)

    test('grows to what it is declared with, and the plugin is told that it grows no further', async t => {
      const plugin = await open(growing(2))
      t.after(() => plugin.close())
      await plugin.call('grow')
      await plugin.call('stays')
      await plugin.call('serve')
    })

    test('that grows beyond what is allowed ends the call, whatever it is declared with', async t => {
      for (const maximum of ['', 51, 65_536]) {
        const plugin = await open(growing(maximum), { memory: { pages: 50 } })
        t.after(() => plugin.close())
        await assert.rejects(plugin.call('grow50'), { code: 'ERR_EXTISM_OUT_OF_MEMORY' })
        await plugin.call('serve')
      }
    })

    test('may be declared with more than is allowed, or with all there is', async t => {
      for (const maximum of [200, 65_535, 65_536]) {
        const plugin = await open(growing(maximum), { memory: { pages: 50 } })
        t.after(() => plugin.close())
        await plugin.call('grow')
      }
    })

    test('that several modules share grows to what it is declared with', async t => {
      const wasm = [
        { name: 'memory', data: wat('(module (memory (export "memory") 1 2))') },
        { name: 'main', data: wat(`(module (import "memory" "memory" (memory 1 2)) (func (export "grow") (if (i32.ne (memory.grow (i32.const 1)) (i32.const 1)) (then (unreachable)))))`) }
      ]
      const plugin = await open(wasm)
      t.after(() => plugin.close())
      await plugin.call('grow')
    })

    test('that nobody can have is refused', async () => {
      for (const memory of ['i64 0x7fffffffffff', 'i64 0x1000000000000', 'i64 65537', '65536) (memory 65536']) {
        const calling = async () => (await open(wat(`(module (memory ${memory}) (func (export "run")))`))).call('run')
        await assert.rejects(calling(), { code: 'ERR_EXTISM_OUT_OF_MEMORY' })
      }
    })

    test('has 1 GiB at most where nobody says otherwise, and 4 GiB where somebody does', async t => {
      const growing = wat('(module (memory i64 1) (func (export "grow") (drop (memory.grow (i64.const 20000)))))')
      const [plugin, large] = await Promise.all([open(growing), open(growing, { memory: { pages: 65_536 } })])
      t.after(() => Promise.all([plugin.close(), large.close()]))
      await assert.rejects(plugin.call('grow'), { code: 'ERR_EXTISM_OUT_OF_MEMORY' })
      await large.call('grow')
    })

    test('that starts with more than is allowed is refused', async () => {
      const calling = async () => (await open(wat('(module (memory 51) (func (export "serve")))'), { memory: { pages: 50 } })).call('serve')
      await assert.rejects(calling(), { code: 'ERR_EXTISM_OUT_OF_MEMORY', message: /51 pages.*50/ })
    })
  })

  describe(`in ${face}, a table`, () => {
    const growing = guest(`
      (table 50 funcref)
      (func (export "run") (result i32)
        (if (i32.eq (table.grow 0 (ref.null func) (i32.const 51)) (i32.const -1)) (then (call $give (call $input))))
        (i32.const 0))`)

    test('grows as far as is allowed, which the plugin is told', async t => {
      const [plugin, free] = await Promise.all([open(growing, { memory: { maxTableElements: 100 } }), open(growing)])
      t.after(() => Promise.all([plugin.close(), free.close()]))
      assert.equal(text(await plugin.call('run', 'no further')), 'no further')
      const output = await free.call('run', 'no further')
      assert.ok(output === null || output.length === 0)
    })

    test('shares what is allowed with the others', async () => {
      for (const tables of ['(table 101 funcref)', '(table 60 funcref) (table 60 externref)']) {
        const calling = async () => (await open(guest(tables + SERVE), { memory: { maxTableElements: 100 } })).call('serve')
        await assert.rejects(calling(), { code: 'ERR_EXTISM_OUT_OF_MEMORY', message: /table elements/ })
      }
    })

    test('keeps what its elements start with, and what it imports', async t => {
      const plugin = await open(guest(`
        (table 4 funcref)
        (elem (i32.const 1) $seven)
        (table $filled 3 3 funcref (ref.func $seven))
        (func $seven (result i32) (i32.const 7))
        (func (export "run")
          (if (i32.ne (call_indirect 0 (result i32) (i32.const 1)) (i32.const 7)) (then (unreachable)))
          (if (i32.ne (call_indirect $filled (result i32) (i32.const 2)) (i32.const 7)) (then (unreachable))))`))
      t.after(() => plugin.close())
      await plugin.call('run')
    })
  })

  test(`in ${face}, a limit that is none is refused`, async () => {
    const limits = [{ maxTableElements: -1 }, { maxOutputBytes: 1.5 }, { maxStackBytes: 1 }, { pages: 65_537 }]
    for (const memory of limits) await assert.rejects(async () => open(guest(SERVE), { memory }), { name: 'RangeError' })
    for (const running of [{ maxCallDepth: -1 }, { maxLogBytes: NaN }]) await assert.rejects(async () => open(guest(SERVE), running), { name: 'RangeError' })
    await assert.rejects(async () => open(guest(SERVE), { memory: { maxTableElements: '1' } }), { name: 'TypeError' })
  })
}

test('what a call logs beyond its limit is dropped, with a notice', async t => {
  const messages = []
  const logger = Object.fromEntries(['info', 'warn'].map(level => [level, message => messages.push(`${level}: ${message}`)]))
  const body = `
    (data (i32.const 0) "logged")
    (func (export "run") (local $i i32)
      (loop $again
        (call $log_info (call $put (i32.const 0) (i32.const 6)))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100)))))`
  const plugin = await FACES.createPlugin.open(guest(body + SERVE), { logger, logLevel: 'info', maxLogBytes: 20 })
  t.after(() => plugin.close())
  for (let call = 0; call < 2; call++) {
    await plugin.call('run')
    assert.deepEqual(messages.splice(0), [...Array(3).fill('info: logged'), 'warn: a call may log 20 bytes (maxLogBytes), the rest is dropped'])
  }
})

test('what is logged for a call, not by it, counts as well', async t => {
  const messages = []
  const logger = { warn: message => messages.push(message), error: message => messages.push(message) }
  const body = `
    (data (i32.const 0) "name")
    (func (export "run") (local $i i32)
      (loop $again
        (call $var_set (call $put (i32.const 0) (i32.const 4)) (call $put (i32.const 0) (i32.const 4)))
        (drop (call $alloc (i64.const 100000)))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100)))))`
  const plugin = await FACES.createPlugin.open(guest(body), { logger, logLevel: 'warn', maxLogBytes: 200, memory: { maxVarBytes: 1, maxPages: 1 } })
  t.after(() => plugin.close())
  await assert.rejects(plugin.call('run'), { code: 'ERR_EXTISM_GUEST', message: /var memory limit/ })
  assert.equal(messages.length, 4)
  assert.match(messages[3], /the rest is dropped/)
})
