import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Plugin, createPlugin } from '../index.js'
import { asText, guest } from './helpers.js'

const APIS = { Plugin: code => new Plugin(code), createPlugin: code => createPlugin(code) }

const BODY = `
  (data (i32.const 0) "text")
  (func $text (result i64) (call $put (i32.const 0) (i32.const 4)))
  (func $trap_unless (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))`

/** What a plugin does with a block $a, of which "text" is the output in the end. */
const HANDED_OVER = {
  'a message': '(call $log_info (local.get $a))',
  'the key of a variable that is read': '(drop (call $var_get (local.get $a)))',
  'the key of a variable that is set': '(call $var_set (local.get $a) (call $alloc (i64.const 8)))',
  'the value of a variable': '(call $var_set (call $text) (local.get $a))',
  'the key and the value of a variable': '(call $var_set (local.get $a) (local.get $a))',
  'the key of a config value': '(drop (call $config_get (local.get $a)))',
  'an output, and then something else is': '(call $give (local.get $a)) (call $give (call $alloc (i64.const 9)))'
}

/** What does nothing with a key of no bytes, which is at the address 0. */
const EMPTY_KEYS = {
  'a config value': '(call $trap_unless (i64.eqz (call $config_get (i64.const 0))))',
  'a variable that is not there': '(call $trap_unless (i64.eqz (call $var_get (i64.const 0))))',
  'a variable that is removed': '(call $var_set (i64.const 0) (i64.const 0))',
  'a variable that is set': `
    (call $var_set (i64.const 0) (call $text))
    (call $trap_unless (i64.eq (call $length (call $var_get (i64.const 0))) (i64.const 4)))
    (call $trap_unless (i64.eq (call $length (call $var_get (call $alloc (i64.const 0)))) (i64.const 4)))`
}

for (const era of ['modern', '2023']) {
  for (const [api, make] of Object.entries(APIS)) {
    describe(`a plugin of the era ${era}, made with ${api},`, () => {
      const run = async (t, body) => {
        const plugin = await make(guest(`${BODY} (func (export "run") (local $a i64) (local.set $a (call $text)) ${body})`, { era }))
        t.after(() => plugin.close())
        for (let i = 0; i < 3; i++) assert.equal(asText(await plugin.call('run')), 'text')
        assert.equal(asText(plugin.callSync('run')), 'text')
      }

      for (const [what, use] of Object.entries(HANDED_OVER)) {
        test(`goes on with a block that it has passed as ${what}`, t => run(t, `${use} (call $give (local.get $a))`))
        test(`passes a block twice as ${what}`, t => run(t, `${use} ${use} (call $give (local.get $a))`))
      }

      for (const [what, use] of Object.entries(EMPTY_KEYS)) {
        test(`may use the key of no bytes for ${what}`, t => run(t, `${use} (call $give (local.get $a))`))
      }
    })
  }
}

for (const [api, make] of Object.entries(APIS)) {
  test(`a plugin of ${api} may pass a million blocks to the host in one call, and free none`, async t => {
    const data = guest(`${BODY}
      (func (export "run") (local $i i32)
        (loop $next
          (call $var_set (call $text) (call $alloc (i64.const 1024)))
          (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
        (call $give (call $text)))`)
    const plugin = await make({ wasm: [{ data }], memory: { maxPages: 1024 } })
    t.after(() => plugin.close())
    assert.equal(asText(await plugin.call('run')), 'text')
  })
}
