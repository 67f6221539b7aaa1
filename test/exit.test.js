import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Plugin, createPlugin } from '../index.js'
import { asText, guest } from './helpers.js'

const CODE = guest(`
  (data (i32.const 0) "no")
  (func $report (call $error_set (call $put (i32.const 0) (i32.const 2))))
  (func $code (result i32) (i32.wrap_i64 (call $input_load_u64 (i64.const 0))))
  (func (export "exit") (call $exit (call $code)))
  (func (export "report") (call $report))
  (func (export "report_and_exit") (call $report) (call $exit (call $code)))
  (func (export "_start") (call $report) (call $exit (i32.const 0)))
  (func (export "give_and_exit") (call $give (call $put (i32.const 0) (i32.const 2))) (call $exit (i32.const 0)))`, {
  user: '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
})

const APIS = {
  Plugin: () => new Plugin({ wasm: [{ data: CODE }] }, true),
  createPlugin: () => createPlugin(CODE, { useWasi: true })
}

/** A number as the guest reads it. */
function bytes (number) {
  const input = Buffer.alloc(8)
  input.writeInt32LE(number)
  return input
}

for (const [api, make] of Object.entries(APIS)) {
  describe(`a plugin of ${api}`, () => {
    for (const method of ['call', 'callSync']) {
      const calling = async (plugin, ...args) => plugin[method](...args)

      test(`that exits with any code but 0 fails ${method} with that code`, async t => {
        const plugin = await make()
        t.after(() => plugin.close())
        for (const code of [1, 125, 126, 127, 134, 255, 256, 500, 2 ** 31 - 1, -1, -(2 ** 31)]) {
          const error = await calling(plugin, 'exit', bytes(code)).catch(error => error)
          assert.deepEqual([error.name, error.code, error.exitCode | 0], ['ExtismError', 'ERR_EXTISM_EXIT', code], error.message)
        }
      })

      test(`that exits with 0 ends ${method} with its output`, async t => {
        const plugin = await make()
        t.after(() => plugin.close())
        await calling(plugin, 'exit', bytes(0))
        assert.equal(asText(await calling(plugin, 'give_and_exit', '')), 'no')
      })

      test(`that reports an error fails ${method} with it, also if it exits with 0 then`, async t => {
        const plugin = await make()
        t.after(() => plugin.close())
        for (const [name, input] of [['report', ''], ['report_and_exit', bytes(0)], ['_start', '']]) {
          await assert.rejects(calling(plugin, name, input), { code: 'ERR_EXTISM_GUEST', message: /\bno\b/ }, name)
        }
        await assert.rejects(calling(plugin, 'report_and_exit', bytes(200)), { code: 'ERR_EXTISM_EXIT', exitCode: 200, message: /\bno\b/ })
      })
    }
  })
}
