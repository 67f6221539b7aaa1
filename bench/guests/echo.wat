;; Gives its input back, in two ways. Inputs are of a multiple of eight bytes.
(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))

  ;; Room for an input of a mebibyte.
  (memory (export "memory") 16)

  ;; As a PDK does it: the input comes in, and the output goes out, eight bytes at a time.
  (func (export "echo")
    (local $length i64) (local $output i64) (local $i i64)
    (local.set $length (call $input_length))
    (loop $load
      (if (i64.lt_u (local.get $i) (local.get $length))
        (then
          (i64.store (i32.wrap_i64 (local.get $i)) (call $input_load_u64 (local.get $i)))
          (local.set $i (i64.add (local.get $i) (i64.const 8)))
          (br $load))))
    (local.set $output (call $alloc (local.get $length)))
    (local.set $i (i64.const 0))
    (loop $store
      (if (i64.lt_u (local.get $i) (local.get $length))
        (then
          (call $store_u64
            (i64.add (local.get $output) (local.get $i))
            (i64.load (i32.wrap_i64 (local.get $i))))
          (local.set $i (i64.add (local.get $i) (i64.const 8)))
          (br $store))))
    (call $output_set (local.get $output) (local.get $length)))

  ;; The input's own block is the output: only the host moves bytes.
  (func (export "pass")
    (call $output_set (call $input_offset) (call $input_length))))
