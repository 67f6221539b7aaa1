import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createPlugin } from '../../index.js'
import { guest } from '../helpers.js'

export const USER = 'extism:host/user'

export const CODE = guest(`
  (data (i32.const 0) "name")
  (global $calls (mut i64) (i64.const 48))
  (func $name (result i64) (call $put (i32.const 0) (i32.const 4)))
  (func (export "echo") (call $give (call $input)))
  (func (export "ask") (call $give (call $answer (call $input))))
  (func (export "tell") (drop (call $answer (call $input))))
  (func (export "spin") (drop (call $answer (call $input))) (loop $again (br $again)))
  (func (export "nothing"))
  (func (export "empty") (call $output_set (i64.const 0) (i64.const 0)))
  (func (export "seven") (result i32) (i32.const 7))
  (func (export "refuse") (result i32) (call $fail (call $input)))
  (func (export "complain") (call $error_set (call $input)) (call $give (call $input)))
  (func (export "set") (call $var_set (call $name) (call $input)))
  (func (export "get") (local $value i64)
    (local.set $value (call $var_get (call $name)))
    (if (i64.ne (local.get $value) (i64.const 0)) (then (call $give (local.get $value)))))
  (func (export "config") (local $value i64)
    (local.set $value (call $config_get (call $input)))
    (if (i64.ne (local.get $value) (i64.const 0)) (then (call $give (local.get $value)))))
  (func (export "count") (local $block i64)
    (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
    (local.set $block (call $alloc (i64.const 1)))
    (call $store_u8 (local.get $block) (i32.wrap_i64 (global.get $calls)))
    (call $give (local.get $block)))
  (func (export "trap") unreachable)`, {
  user: '(import USER "answer" (func $answer (param i64) (result i64)))'
})

/** A plugin that is closed after the test. */
export async function made (t, manifest, options) {
  const plugin = await createPlugin(manifest, options)
  t.after(() => plugin.close())
  return plugin
}

/**
 * A plugin of `CODE`: `ask` gives the block that `f` returns the address of, `tell` gives
 * nothing, and `spin` never ends after it has asked.
 */
export function asking (t, f = () => 0n, options = undefined) {
  return made(t, CODE, { functions: { [USER]: { answer: f } }, ...options })
}

/** A module that gives a text: what tells one from another. */
export function saying (text, extra = '') {
  return guest(`
    (data (i32.const 0) "${text}")
    (func (export "run") (call $give (call $put (i32.const 0) (i32.const ${text.length}))))
    ${extra}`)
}

export const textOf = async output => (await output)?.text()

/** What `run` gives. */
export async function said (manifest, options) {
  const plugin = await createPlugin(manifest, options)
  try {
    return await textOf(plugin.call('run'))
  } finally {
    await plugin.close()
  }
}

/** A server on a free port: where it is. */
export async function serving (t, respond) {
  const server = createServer(respond)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${server.address().port}`
}

/** A directory that is gone after the test. */
export function directory (t) {
  const place = mkdtempSync(path.join(tmpdir(), 'extism-napi-modern-'))
  t.after(() => rmSync(place, { recursive: true, force: true }))
  return place
}
