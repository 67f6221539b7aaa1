;; Computes for as long as its input says, which is a number of steps in eight bytes, or for ever.
(module
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))

  (memory (export "memory") 1)

  ;; Each step needs the one before, and the last one is the output, so that no compiler can
  ;; leave any out.
  (func (export "work")
    (local $steps i64) (local $state i64) (local $output i64)
    (local.set $steps (call $input_load_u64 (i64.const 0)))
    (loop $step
      (local.set $state
        (i64.add
          (i64.mul (local.get $state) (i64.const 6364136223846793005))
          (i64.const 1442695040888963407)))
      (local.set $steps (i64.sub (local.get $steps) (i64.const 1)))
      (br_if $step (i64.gt_s (local.get $steps) (i64.const 0))))
    (local.set $output (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $output) (local.get $state))
    (call $output_set (local.get $output) (i64.const 8)))

  (func (export "spin")
    (loop $on (br $on))))
