;; A plugin of today that uses everything the environment has; 2023.wat is its older twin.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (import "extism:host/env" "log_debug" (func $log_debug (param i64)))
  (import "extism:host/env" "log_info" (func $log_info (param i64)))
  (import "extism:host/env" "log_warn" (func $log_warn (param i64)))
  (import "extism:host/env" "log_error" (func $log_error (param i64)))

  (global $calls (mut i64) (i64.const 0))

  ;; A block with the input in it.
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

  (func $give (param $block i64)
    (call $output_set (local.get $block) (call $length (local.get $block))))

  (func $name (result i64)
    (local $block i64)
    (local.set $block (call $alloc (i64.const 1)))
    (call $store_u8 (local.get $block) (i32.const 0x6e))
    (local.get $block))

  (func (export "nothing"))
  (func (export "trap") unreachable)
  (func (export "spin") (loop $again (br $again)))
  (func (export "seven") (result i32) (i32.const 7))
  (func (export "recurse") (call $deeper (i64.const 0)))
  (func $deeper (param i64) (call $deeper (i64.add (local.get 0) (i64.const 1))) (drop (call $load_u8 (local.get 0))))

  (func (export "echo") (call $give (call $input)))

  ;; The first eight bytes of the input.
  (func (export "echo8")
    (local $block i64)
    (local.set $block (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $block) (call $input_load_u64 (i64.const 0)))
    (if (i64.ne (call $load_u64 (local.get $block)) (call $input_load_u64 (i64.const 0)))
      (then unreachable))
    (call $give (local.get $block)))

  (func (export "reverse")
    (local $from i64) (local $to i64) (local $i i64)
    (local.set $from (call $input))
    (local.set $to (call $alloc (call $input_length)))
    (loop $next
      (if (i64.lt_u (local.get $i) (call $input_length))
        (then
          (local.set $i (i64.add (local.get $i) (i64.const 1)))
          (call $store_u8
            (i64.sub (i64.add (local.get $to) (call $input_length)) (local.get $i))
            (call $load_u8 (i64.sub (i64.add (local.get $from) (local.get $i)) (i64.const 1))))
          (br $next))))
    (call $free (local.get $from))
    (call $give (local.get $to)))

  ;; How often this was called on this instance, as a character from "1" on.
  (func (export "count")
    (local $block i64)
    (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
    (local.set $block (call $alloc (i64.const 1)))
    (call $store_u8 (local.get $block) (i32.wrap_i64 (i64.add (global.get $calls) (i64.const 48))))
    (call $give (local.get $block)))

  ;; Fails with the input as its error.
  (func (export "refuse") (result i32)
    (call $error_set (call $input))
    (i32.const 3))

  ;; The value that the configuration has for the input.
  (func (export "config") (call $give (call $config_get (call $input))))

  (func (export "keep") (call $var_set (call $name) (call $input)))
  (func (export "kept") (call $give (call $var_get (call $name))))

  ;; Logs the input at four levels.
  (func (export "log")
    (call $log_debug (call $input))
    (call $log_info (call $input))
    (call $log_warn (call $input))
    (call $log_error (call $input))))
