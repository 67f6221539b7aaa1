import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'

const INDEX = new URL('../index.js', import.meta.url)

/** Whether a host function is known after an `await`: from Node.js 24 on this costs nothing. */
export const KNOWS_AFTER_AWAIT = Number(process.versions.node.split('.')[0]) >= 24

/** The bytes of a module in the text format. */
export function wat (text) {
  return Buffer.from(text)
}

/** The path of a plugin in test/plugins. */
export function pluginPath (name) {
  return new URL(`plugins/${name}`, import.meta.url).pathname
}

/** The bytes of a plugin in test/plugins. */
export function pluginBytes (name) {
  return readFileSync(pluginPath(name))
}

/** What a plugin can import from the environment: parameters and results. */
const ENVIRONMENT = {
  alloc: '(param i64) (result i64)',
  free: '(param i64)',
  length: '(param i64) (result i64)',
  load_u8: '(param i64) (result i32)',
  load_u64: '(param i64) (result i64)',
  store_u8: '(param i64 i32)',
  store_u64: '(param i64 i64)',
  input_length: '(result i64)',
  input_load_u8: '(param i64) (result i32)',
  input_load_u64: '(param i64) (result i64)',
  output_set: '(param i64 i64)',
  error_set: '(param i64)',
  config_get: '(param i64) (result i64)',
  var_get: '(param i64) (result i64)',
  var_set: '(param i64 i64)',
  log_debug: '(param i64)',
  log_info: '(param i64)',
  log_warn: '(param i64)',
  log_error: '(param i64)'
}

export const ERAS = {
  modern: { env: 'extism:host/env', prefix: '', user: 'extism:host/user' },
  2023: { env: 'env', prefix: 'extism_', user: 'env' }
}

/**
 * A plugin with the environment of its era imported under the same names ($alloc, $length …),
 * and with what every plugin needs: $input copies the input into a block, $put bytes of the
 * plugin's memory, $give makes a block the output, $fail makes one the error and returns 1.
 * `user` has the plugin's own imports, with `USER` for the namespace of host functions.
 */
export function guest (body, { user = '', era = 'modern' } = {}) {
  const { env, prefix, user: namespace } = ERAS[era]
  const imports = Object.entries(ENVIRONMENT)
    .map(([name, type]) => `(import "${env}" "${prefix}${name}" (func $${name} ${type}))`)
  return wat(`(module
  ${imports.join('\n  ')}
  ${user.replaceAll('USER', `"${namespace}"`)}
  (func $input (result i64)
    (local $block i64) (local $i i64)
    (local.set $block (call $alloc (call $input_length)))
    (loop $next
      (if (i64.lt_u (local.get $i) (call $input_length))
        (then
          (call $store_u8
            (i64.add (local.get $block) (local.get $i))
            (call $input_load_u8 (local.get $i)))
          (local.set $i (i64.add (local.get $i) (i64.const 1)))
          (br $next))))
    (local.get $block))
  (func $put (param $from i32) (param $length i32) (result i64)
    (local $block i64) (local $i i32)
    (local.set $block (call $alloc (i64.extend_i32_u (local.get $length))))
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $length))
        (then
          (call $store_u8
            (i64.add (local.get $block) (i64.extend_i32_u (local.get $i)))
            (i32.load8_u (i32.add (local.get $from) (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (local.get $block))
  (func $give (param $block i64)
    (call $output_set (local.get $block) (call $length (local.get $block))))
  (func $fail (param $block i64) (result i32)
    (call $error_set (local.get $block))
    (i32.const 1))
  (memory (export "memory") 1)
  ${body})`)
}

/**
 * Runs a module script in a process of its own, which finds the package's exports and these
 * helpers as globals; `env` adds to its environment, and `limit` is for `ulimit`. Resolves with how
 * it ended, whatever that was. A process that hangs is killed in the end, which shows as a signal.
 */
export function run (script, { flags = [], env = {}, limit = '-c 0' } = {}) {
  const prelude = `
    import * as extism from ${JSON.stringify(INDEX)}
    import * as helpers from ${JSON.stringify(import.meta.url)}
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    import assert from 'node:assert/strict'
    Object.assign(globalThis, extism, helpers, { assert, once, Worker })
    await (async () => {\n${script}\n})()`
  return new Promise(resolve => {
    const options = { maxBuffer: 16 << 20, timeout: 60_000, killSignal: 'SIGKILL', env: { ...process.env, ...env } }
    const command = ['-c', `ulimit ${limit} && exec "$0" "$@"`, process.execPath, '--input-type=module', ...flags, '-e', prelude]
    const child = execFile('/bin/sh', command, options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr })
    })
  })
}

/** Asserts that a script, see `run`, ends with 0 after printing these lines. Resolves with what went to stderr. */
export async function prints (script, lines, options) {
  const { code, signal, stdout, stderr } = await run(script, options)
  const expected = { code: 0, signal: null, stdout: [lines].flat() }
  assert.deepEqual({ code, signal, stdout: stdout.trim().split('\n') }, expected, stderr || undefined)
  return stderr
}

/** The output of a plugin of either API, as text. */
export function asText (output) {
  return Buffer.from(output.buffer, output.byteOffset, output.byteLength).toString()
}

/** A promise, and what resolves it. */
export function signal () {
  let fire
  return [new Promise(resolve => { fire = resolve }), fire]
}
