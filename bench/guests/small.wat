;; The smallest guest with a state of its own: how often it was called since the instance was made.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))

  (memory (export "memory") 1)

  ;; The count is in memory, so that a page of it is resident, as with any real guest.
  (func (export "count")
    (local $output i64)
    (i64.store (i32.const 0) (i64.add (i64.load (i32.const 0)) (i64.const 1)))
    (local.set $output (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $output) (i64.load (i32.const 0)))
    (call $output_set (local.get $output) (i64.const 8))))
