;; The environment as generated modules have it when two hosts are compared. Addresses of blocks
;; differ between hosts, so nobody sees one: blocks are in eight slots, each of which has one
;; before it is used. Blocks begin with zeros here, and end where they are handed over, which
;; hosts do differently as well.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "log_info" (func $log_info (param i64)))
  (memory 1)

  (func $place (param $slot i32) (result i32)
    (i32.shl (i32.and (local.get $slot) (i32.const 7)) (i32.const 3)))

  (func $put (param $slot i32) (param $block i64)
    (i64.store (call $place (local.get $slot)) (local.get $block)))

  (func $zeros (param $length i64) (result i64)
    (local $block i64) (local $index i64)
    (local.set $block (call $alloc (local.get $length)))
    (loop $next
      (call $store_u8 (i64.add (local.get $block) (local.get $index)) (i32.const 0))
      (local.set $index (i64.add (local.get $index) (i64.const 1)))
      (br_if $next (i64.lt_u (local.get $index) (local.get $length))))
    (local.get $block))

  (func $block (param $slot i32) (result i64)
    (if (i64.eqz (i64.load (call $place (local.get $slot))))
      (then (call $put (local.get $slot) (call $zeros (i64.const 8)))))
    (i64.load (call $place (local.get $slot))))

  ;; The block, which is the host's from now on.
  (func $handed (param $slot i32) (result i64)
    (local $block i64)
    (local.set $block (call $block (local.get $slot)))
    (call $put (local.get $slot) (i64.const 0))
    (local.get $block))

  (func $byte (param $slot i32) (param $index i32) (result i64)
    (local $block i64)
    (local.set $block (call $block (local.get $slot)))
    (i64.add
      (local.get $block)
      (i64.rem_u (i64.extend_i32_u (local.get $index)) (call $length (local.get $block)))))

  ;; One of four keys, as text.
  (func $key (param $key i32) (result i64)
    (local $block i64)
    (local.set $block (call $alloc (i64.const 1)))
    (call $store_u8
      (local.get $block)
      (i32.add (i32.const 97) (i32.and (local.get $key) (i32.const 3))))
    (local.get $block))

  (func (export "alloc") (param $slot i32) (param $length i32)
    (call $put
      (local.get $slot)
      (call $zeros
        (i64.extend_i32_u
          (i32.add (i32.and (local.get $length) (i32.const 63)) (i32.const 1))))))

  (func (export "length") (param $slot i32) (result i64)
    (call $length (call $block (local.get $slot))))

  (func (export "load") (param $slot i32) (param $index i32) (result i32)
    (call $load_u8 (call $byte (local.get $slot) (local.get $index))))

  (func (export "store") (param $slot i32) (param $index i32) (param $value i32)
    (call $store_u8 (call $byte (local.get $slot) (local.get $index)) (local.get $value)))

  (func (export "input_length") (result i64) (call $input_length))

  (func (export "input") (param $index i32) (result i32)
    (call $input_load_u8
      (i64.rem_u (i64.extend_i32_u (local.get $index)) (call $input_length))))

  (func (export "output") (param $slot i32)
    (local $block i64)
    (local.set $block (call $block (local.get $slot)))
    (call $output_set (local.get $block) (call $length (local.get $block))))

  (func (export "fail") (param $slot i32)
    (call $error_set (call $block (local.get $slot))))

  (func (export "set") (param $key i32) (param $slot i32)
    (call $var_set (call $key (local.get $key)) (call $handed (local.get $slot))))

  (func (export "remove") (param $key i32)
    (call $var_set (call $key (local.get $key)) (i64.const 0)))

  (func (export "get") (param $key i32) (param $slot i32)
    (call $put (local.get $slot) (call $var_get (call $key (local.get $key)))))

  (func (export "config") (param $key i32) (param $slot i32)
    (call $put (local.get $slot) (call $config_get (call $key (local.get $key)))))

  (func (export "log") (param $slot i32)
    (call $log_info (call $handed (local.get $slot))))

  ;; What only the module around the generated one calls.

  ;; A call begins without blocks.
  (func (export "begin")
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 64)))

  (func $mixed (param $sum i64) (param $x i64) (result i64)
    (i64.mul
      (i64.rotl (i64.xor (local.get $sum) (local.get $x)) (i64.const 29))
      (i64.const 0x9e3779b97f4a7c15)))

  ;; A sum over what is in the slots.
  (func $blocks (export "blocks") (result i64)
    (local $sum i64) (local $slot i32) (local $at i64) (local $end i64)
    (loop $next
      (local.set $at (i64.load (call $place (local.get $slot))))
      (block $done
        ;; What the length of nothing is, hosts do not agree on.
        (br_if $done (i64.eqz (local.get $at)))
        (local.set $end (i64.add (local.get $at) (call $length (local.get $at))))
        (loop $byte
          (br_if $done (i64.eq (local.get $at) (local.get $end)))
          (local.set $sum
            (call $mixed (local.get $sum) (i64.extend_i32_u (call $load_u8 (local.get $at)))))
          (local.set $at (i64.add (local.get $at) (i64.const 1)))
          (br $byte)))
      (local.set $sum (call $mixed (local.get $sum) (i64.const -1)))
      (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $slot) (i32.const 8))))
    (local.get $sum))

  ;; A sum over the variables.
  (func (export "variables") (result i64)
    (local $key i32)
    (loop $next
      (call $put (local.get $key) (call $var_get (call $key (local.get $key))))
      (local.set $key (i32.add (local.get $key) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $key) (i32.const 4))))
    (call $blocks))

  (func (export "say") (param $number i64)
    (local $block i64)
    (local.set $block (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $block) (local.get $number))
    (call $output_set (local.get $block) (i64.const 8))))
