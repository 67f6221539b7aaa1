// The plugins that are run.

import { readFileSync } from 'node:fs'
import { ERAS, guest } from '../test/helpers.js'

const WASI = 'wasi_snapshot_preview1'

/** Copies the input eight bytes at a time: a mebibyte is to be no matter. */
const COPY = `
  (func $copy (result i64)
    (local $block i64) (local $i i64) (local $length i64)
    (local.set $length (call $input_length))
    (local.set $block (call $alloc (local.get $length)))
    (loop $next
      (if (i64.le_u (i64.add (local.get $i) (i64.const 8)) (local.get $length))
        (then
          (call $store_u64 (i64.add (local.get $block) (local.get $i)) (call $input_load_u64 (local.get $i)))
          (local.set $i (i64.add (local.get $i) (i64.const 8)))
          (br $next))))
    (loop $next
      (if (i64.lt_u (local.get $i) (local.get $length))
        (then
          (call $store_u8 (i64.add (local.get $block) (local.get $i)) (call $input_load_u8 (local.get $i)))
          (local.set $i (i64.add (local.get $i) (i64.const 1)))
          (br $next))))
    (local.get $block))`

const FUNCTIONS = `
  ${COPY}
  (data (i32.const 0) "name")
  (func $name (result i64) (call $put (i32.const 0) (i32.const 4)))
  (func $give_some (param $block i64)
    (if (i64.ne (local.get $block) (i64.const 0)) (then (call $give (local.get $block)))))
  (func (export "echo") (call $give (call $copy)))
  (func (export "ask") (call $give_some (call $answer (call $copy))))
  (func (export "tell") (drop (call $answer (call $copy))))
  (func (export "spin") (drop (call $answer (call $copy))) (loop $again (br $again)))
  (func (export "loop") (loop $again (br $again)))
  (func $steps (param $count i64)
    (loop $again
      (local.set $count (i64.sub (local.get $count) (i64.const 1)))
      (br_if $again (i64.ne (local.get $count) (i64.const 0)))))
  (func (export "work") (call $steps (i64.const 2000000)) (call $give (call $copy)))
  (func (export "work_and_ask") (local $answer i64)
    (call $steps (i64.const 5000000))
    (local.set $answer (call $answer (call $copy)))
    (call $steps (i64.const 5000000))
    (call $give (local.get $answer)))
  (global $calls (mut i32) (i32.const 0))
  (func (export "count") (local $block i64)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (local.set $block (call $alloc (i64.const 1)))
    (call $store_u8 (local.get $block) (global.get $calls))
    (call $give (local.get $block)))
  (func (export "trap") unreachable)
  (func (export "divide") (drop (i32.div_s (i32.const 1) (i32.const 0))))
  (func $deeper (param i64) (call $deeper (i64.add (local.get 0) (i64.const 1))) (drop (call $load_u8 (local.get 0))))
  (func (export "recurse") (call $deeper (i64.const 0)))
  (func (export "overwrite") (call $store_u64 (i64.add (call $alloc (i64.const 8)) (i64.const 4)) (i64.const -1)))
  (func (export "refuse") (result i32) (call $fail (call $copy)))
  (func (export "grow") (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))))
  (func (export "set") (call $var_set (call $name) (call $copy)))
  (func (export "get") (call $give_some (call $var_get (call $name))))
  (func (export "config") (call $give_some (call $config_get (call $copy))))
  (func (export "log")
    (call $log_debug (call $copy)) (call $log_info (call $copy))
    (call $log_warn (call $copy)) (call $log_error (call $copy)))`

/** A plugin for all that needs no WASI, of either era; `answer` is its host function. */
export const GUESTS = Object.keys(ERAS).map(era => guest(FUNCTIONS, {
  era,
  user: '(import USER "answer" (func $answer (param i64) (result i64)))'
}))

/** `sleep` takes as many nanoseconds as its input says, `exit` ends with 3. */
export const WASI_GUEST = guest(`
  ${COPY}
  (func (export "echo") (call $give (call $copy)))
  (func (export "sleep")
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (call $input_load_u64 (i64.const 0)))
    (if (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)) (then unreachable))
    (call $give (call $copy)))
  (func (export "exit") (call $exit (i32.const 3)))`, {
  user: `
    (import "${WASI}" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "${WASI}" "proc_exit" (func $exit (param i32)))`
})

/** Start code that never ends, or traps. */
export const NEVER_STARTS = Buffer.from('(module (func $start (loop $again (br $again))) (start $start) (func (export "run")))')
export const FAILS_TO_START = Buffer.from('(module (func $start unreachable) (start $start) (func (export "run")))')

/** `run` gives this text. `unique` makes it another module, for the compiler and its cache. */
export function saying (text, unique = '') {
  return guest(`
    (data (i32.const 0) "${text}")
    (data (i32.const 1024) "${unique}")
    (func (export "run") (call $give (call $put (i32.const 0) (i32.const ${text.length}))))`)
}

/** `read` gives what the host function has for the key that is its input. */
export const READER = guest(`
  ${COPY}
  (func (export "read") (local $value i64)
    (local.set $value (call $look_up (call $copy)))
    (if (i64.ne (local.get $value) (i64.const 0)) (then (call $give (local.get $value)))))`, {
  user: '(import USER "look_up" (func $look_up (param i64) (result i64)))'
})

/** `echo` as above; `post` sends the body "the body" to where the input says, and gives the answer. */
export const SENDERS = Object.entries(ERAS).map(([era, { env, prefix }]) => guest(`
  ${COPY}
  (data (i32.const 0) "the body")
  (func (export "echo") (call $give (call $copy)))
  (func (export "post") (call $give (call $http_request (call $copy) (call $put (i32.const 0) (i32.const 8)))))`, {
  era,
  user: `(import "${env}" "${prefix}http_request" (func $http_request (param i64 i64) (result i64)))`
}))

/** `say_hello` greets its input, and looks two messages up. It has WASI. */
export const GREETER = readFileSync(new URL('../plugin/simple.wasm', import.meta.url))
