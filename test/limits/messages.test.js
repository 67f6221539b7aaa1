import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Plugin, createPlugin } from '../../index.js'
import { guest } from '../helpers.js'

const CODE = guest(`
  (func (export "fail") (result i32) (call $fail (call $input)))
  (func (export "log") (call $log_info (call $input)) (call $give (call $input)))`)
const LONG = 'é'.repeat(100_000)

test('what a plugin reports is cut at 64 KiB, between two characters', async t => {
  const logged = []
  const makers = [() => new Plugin(CODE), () => createPlugin(CODE, { logLevel: 'info', logger: { info: text => logged.push(text) } })]
  for (const make of makers) {
    const plugin = await make()
    t.after(() => plugin.close())
    const { message } = await plugin.call('fail', LONG).catch(error => error)
    assert.equal(message.match(/é+/)[0].length, 32_768)
    assert.equal((await plugin.call('log', LONG)).byteLength, 200_000)
  }
  assert.deepEqual(logged.map(text => text.length), [32_768])
})

test('a message of 64 KiB that is no text at all arrives whole, each byte as U+FFFD', async t => {
  const logged = []
  const plugin = await createPlugin(CODE, { logLevel: 'info', logger: { info: text => logged.push(text) } })
  t.after(() => plugin.close())
  await plugin.call('log', Buffer.alloc(65_536, 0xff))
  assert.deepEqual(logged, ['\ufffd'.repeat(65_536)])
})
