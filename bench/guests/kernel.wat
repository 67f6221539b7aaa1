;; What the kernel has to do most: stores, blocks, and stores that go from block to block.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))

  ;; A mebibyte in one block.
  (func (export "store")
    (local $block i64) (local $i i64)
    (local.set $block (call $alloc (i64.const 1048576)))
    (loop $next
      (call $store_u64 (i64.add (local.get $block) (local.get $i)) (local.get $i))
      (local.set $i (i64.add (local.get $i) (i64.const 8)))
      (br_if $next (i64.lt_u (local.get $i) (i64.const 1048576)))))

  ;; As many stores, each into another block than the one before.
  (func (export "hop")
    (local $first i64) (local $second i64) (local $block i64) (local $i i64)
    (local.set $first (call $alloc (i64.const 1048576)))
    (local.set $second (call $alloc (i64.const 1048576)))
    (loop $next
      (local.set $block
        (select (local.get $first) (local.get $second) (i64.eqz (i64.and (local.get $i) (i64.const 8)))))
      (call $store_u64 (i64.add (local.get $block) (local.get $i)) (local.get $i))
      (local.set $i (i64.add (local.get $i) (i64.const 8)))
      (br_if $next (i64.lt_u (local.get $i) (i64.const 1048576)))))

  ;; A thousand blocks, each made, written to and given back.
  (func (export "blocks")
    (local $block i64) (local $i i64)
    (loop $next
      (local.set $block (call $alloc (i64.const 64)))
      (call $store_u64 (local.get $block) (local.get $i))
      (call $free (local.get $block))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $next (i64.lt_u (local.get $i) (i64.const 1000))))))
