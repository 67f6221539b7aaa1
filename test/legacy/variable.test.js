import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Plugin } from '../../index.js'
import { guest } from '../helpers.js'

const CODE = guest(`
  (data (i32.const 0) "name")
  (func (export "set") (call $var_set (call $put (i32.const 0) (i32.const 4)) (call $input)))
  (func (export "remove") (call $var_set (call $put (i32.const 0) (i32.const 4)) (i64.const 0)))
  (func (export "get") (local $value i64)
    (local.set $value (call $var_get (call $put (i32.const 0) (i32.const 4))))
    (if (i64.ne (local.get $value) (i64.const 0)) (then (call $give (local.get $value)))))
  (func (export "config") (local $value i64)
    (local.set $value (call $config_get (call $input)))
    (call $give (if (result i64) (i64.eqz (local.get $value)) (then (call $put (i32.const 0) (i32.const 4))) (else (local.get $value)))))
  (func (export "trap") unreachable)`)

const plugin = (manifest, options) => new Plugin({ wasm: [{ data: CODE }], ...manifest }, false, [], undefined, null, options)

describe('variables', () => {
  test('stay from call to call, until they are removed', async () => {
    const made = plugin()
    assert.equal(String(await made.call('get')), '')
    for (const value of ['one', Buffer.alloc(100_000, 'x')]) {
      await made.call('set', value)
      assert.equal(String(await made.call('get')), String(value))
    }
    await made.call('remove')
    assert.equal(String(await made.call('get')), '')
    await made.close()
  })

  test('are gone with a guest that broke off', async () => {
    const made = plugin()
    await made.call('set', 'before')
    await assert.rejects(made.call('trap'), { code: 'ERR_EXTISM_TRAP' })
    assert.equal(String(await made.call('get')), '')
    await made.close()
  })

  test('are limited to 100 MiB, or to memory.max_var_bytes, and a call that needs more fails', async () => {
    for (const [limit, manifest] of [[100 << 20, {}], [10, { memory: { max_var_bytes: 10 } }], [10, { memory: { maxVarBytes: 10 } }]]) {
      const made = plugin(manifest)
      await made.call('set', Buffer.alloc(limit, 'x'))
      await assert.rejects(made.call('set', Buffer.alloc(limit + 1, 'x')), {
        code: 'ERR_EXTISM_GUEST', message: new RegExp(`var memory limit exceeded: ${limit + 1} bytes requested, ${limit} allowed`)
      })
      assert.equal((await made.call('get')).length, limit)
      await made.close()
    }
    for (const bad of [-1, 0.5]) assert.throws(() => plugin({ memory: { max_var_bytes: bad } }), { name: 'RangeError', message: /max_var_bytes/ })
  })
})

test('a configuration that is empty is not one that is absent', async () => {
  const made = plugin({ config: { empty: '', text: 'text' } })
  assert.equal(String(await made.call('config', 'empty')), '')
  assert.equal(String(await made.call('config', 'text')), 'text')
  assert.equal(String(await made.call('config', 'absent')), 'name')
  await made.close()
})
