;; The memory that a guest and the host share, and a guest's access to it, byte by byte.
;;
;; The table of blocks is in the host. What is kept here, below the first block, is a copy of two
;; of its entries, so that a run of stores asks the host once. A store outside of every block ends
;; the call; no store reaches the words below the first block, which is at 128.
;;
;;   0: where the last block found starts     8: its length    16: its length less 7, at least 0
;;  24: the same of the one found before     32                40
;;  48: where the input starts               56: its length
;;  64: how many bytes all blocks span       72: that less 7, at least 0
(module
  (import "host" "alloc" (func $host_alloc (param i64) (result i64)))
  ;; The block around an address, in which so many bytes are to be stored, as start << 32 | length.
  (import "host" "find" (func $host_find (param i64 i64) (result i64)))
  (memory (export "memory") 1)

  (func $remember (param $start i64) (param $length i64)
    (i64.store offset=24 (i32.const 0) (i64.load (i32.const 0)))
    (i64.store offset=32 (i32.const 0) (i64.load offset=8 (i32.const 0)))
    (i64.store offset=40 (i32.const 0) (i64.load offset=16 (i32.const 0)))
    (i64.store (i32.const 0) (local.get $start))
    (i64.store offset=8 (i32.const 0) (local.get $length))
    (i64.store offset=16 (i32.const 0)
      (select
        (i64.sub (local.get $length) (i64.const 7))
        (i64.const 0)
        (i64.ge_u (local.get $length) (i64.const 8)))))

  (func $find (param $address i64) (param $size i64)
    (local $block i64)
    ;; Many guests go back and forth between two blocks.
    (if (i64.lt_u
          (i64.sub (local.get $address) (i64.load offset=24 (i32.const 0)))
          (select
            (i64.load offset=32 (i32.const 0))
            (i64.load offset=40 (i32.const 0))
            (i64.eq (local.get $size) (i64.const 1))))
      (then
        (call $remember (i64.load offset=24 (i32.const 0)) (i64.load offset=32 (i32.const 0)))
        (return)))
    (local.set $block (call $host_find (local.get $address) (local.get $size)))
    (call $remember
      (i64.shr_u (local.get $block) (i64.const 32))
      (i64.and (local.get $block) (i64.const 0xffffffff))))

  (func (export "alloc") (param $length i64) (result i64)
    (local $start i64)
    (local.set $start (call $host_alloc (local.get $length)))
    (if (i64.ne (local.get $start) (i64.const 0))
      (then (call $remember (local.get $start) (local.get $length))))
    (local.get $start))

  (func (export "store_u8") (param $address i64) (param $value i32)
    (if (i64.ge_u
          (i64.sub (local.get $address) (i64.load (i32.const 0)))
          (i64.load offset=8 (i32.const 0)))
      (then (call $find (local.get $address) (i64.const 1))))
    (i32.store8 (i32.wrap_i64 (local.get $address)) (local.get $value)))

  (func (export "store_u64") (param $address i64) (param $value i64)
    (if (i64.ge_u
          (i64.sub (local.get $address) (i64.load (i32.const 0)))
          (i64.load offset=16 (i32.const 0)))
      (then (call $find (local.get $address) (i64.const 8))))
    (i64.store (i32.wrap_i64 (local.get $address)) (local.get $value)))

  ;; What is before the first block and behind the last one is nothing to the guest.

  (func (export "load_u8") (param $address i64) (result i32)
    (if (i64.ge_u
          (i64.sub (local.get $address) (i64.const 128))
          (i64.load offset=64 (i32.const 0)))
      (then (return (i32.const 0))))
    (i32.load8_u (i32.wrap_i64 (local.get $address))))

  (func (export "load_u64") (param $address i64) (result i64)
    (if (i64.ge_u
          (i64.sub (local.get $address) (i64.const 128))
          (i64.load offset=72 (i32.const 0)))
      (then (return (i64.const 0))))
    (i64.load (i32.wrap_i64 (local.get $address))))

  (func (export "input_offset") (result i64)
    (i64.load offset=48 (i32.const 0)))

  (func (export "input_length") (result i64)
    (i64.load offset=56 (i32.const 0)))

  (func (export "input_load_u8") (param $offset i64) (result i32)
    (if (i64.ge_u (local.get $offset) (i64.load offset=56 (i32.const 0)))
      (then (return (i32.const 0))))
    (i32.load8_u
      (i32.wrap_i64 (i64.add (local.get $offset) (i64.load offset=48 (i32.const 0))))))

  (func (export "input_load_u64") (param $offset i64) (result i64)
    (if (i64.gt_u (local.get $offset) (i64.const 0xffffffff))
      (then (return (i64.const 0))))
    (if (i64.gt_u
          (i64.add (local.get $offset) (i64.const 8))
          (i64.load offset=56 (i32.const 0)))
      (then (return (i64.const 0))))
    (i64.load
      (i32.wrap_i64 (i64.add (local.get $offset) (i64.load offset=48 (i32.const 0)))))))
