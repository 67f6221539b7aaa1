;; The guard stands between guests and the kernel's memory.
;;
;; The kernel keeps each block's header in the same memory as its data and trusts what it
;; reads there, and so does the runtime in the host. Every way for a guest to change that
;; memory leads through here: a store lands inside one live block, and a handle that leaves
;; the guest is the start of one. Loads cannot change anything and go to the kernel directly.
;;
;; A block in the kernel's memory: status (1 byte, at 0), size (4, at 4), used (4, at 8),
;; data (at 12). Blocks follow each other from address 65; status 0 ends them.
(module
  (import "extism:host/env" "alloc" (func $kernel_alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $kernel_free (param i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $kernel_store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $kernel_store_u64 (param i64 i64)))
  (import "extism:host/env" "input_set" (func $kernel_input_set (param i64 i64)))
  (import "extism:host/env" "output_set" (func $kernel_output_set (param i64 i64)))
  (import "extism:host/env" "reset" (func $kernel_reset))
  (import "extism-napi:host" "config_get" (func $host_config_get (param i64 i64) (result i64)))
  (import "extism-napi:host" "var_get" (func $host_var_get (param i64 i64) (result i64)))
  (import "extism-napi:host" "var_set" (func $host_var_set (param i64 i64 i64 i64)))
  (import "extism-napi:host" "http_request" (func $host_http_request (param i64 i64) (result i64)))
  (import "extism-napi:host" "http_headers" (func $host_http_headers (result i64)))
  (import "extism-napi:host" "error_set" (func $host_error_set (param i64 i64)))
  (import "extism-napi:host" "fetch" (func $host_fetch (param i64 i64)))
  (import "extism-napi:host" "refuse" (func $refuse (param i32 i64 i64)))
  (import "extism-napi:host" "limited" (func $host_limited (param i64)))
  (import "extism-napi:host" "freed" (func $host_freed (param i64)))
  (import "extism-napi:host" "log" (func $host_log (param i32 i64 i64)))
  ;; host functions: imports

  ;; The addresses of block data this guard has seen, ascending, four bytes each. A block that
  ;; the kernel splits off another is not in here; a search walks to it from its neighbour.
  (memory $blocks 1)
  (global $count (mut i32) (i32.const 0))
  ;; The header after the last block seen.
  (global $tail (mut i64) (i64.const 65))

  ;; The last block found: its data, how many bytes of it are in use, and for how many
  ;; addresses an eight byte store still fits.
  (global $start (mut i64) (i64.const 0))
  (global $used (mut i64) (i64.const 0))
  (global $used8 (mut i64) (i64.const 0))

  ;; The one found before that: many guests go back and forth between two.
  (global $start_before (mut i64) (i64.const 0))
  (global $used_before (mut i64) (i64.const 0))

  (global $output (mut i32) (i32.const 0))
  ;; The kernel does not know of errors: the runtime would take one that is left there, when no
  ;; call runs any longer, for a guest that broke off.
  (global $error (mut i64) (i64.const 0))

  ;; How many bytes all blocks may have together; all there can be for -1.
  (global $limit i64 (i64.const (; limit ;)))

  (func $remember (param $data i64) (param $length i64)
    (global.set $start_before (global.get $start))
    (global.set $used_before (global.get $used))
    (global.set $start (local.get $data))
    (global.set $used (local.get $length))
    (global.set $used8
      (select
        (i64.sub (local.get $length) (i64.const 7))
        (i64.const 0)
        (i64.ge_u (local.get $length) (i64.const 8)))))

  ;; Whoever may have freed a block, or made one, makes the last blocks found unreliable.
  (func $forget
    (call $remember (i64.const 0) (i64.const 0))
    (call $remember (i64.const 0) (i64.const 0)))

  (func $size (param $header i64) (result i64)
    (i64.and
      (call $load_u64 (i64.add (local.get $header) (i64.const 4)))
      (i64.const 0xffffffff)))

  ;; Appends the blocks made since the last look.
  (func $catch_up
    (block $done
      (loop $next
        (br_if $done (i32.eqz (call $load_u8 (global.get $tail))))
        (if (i32.ge_u
              (i32.shl (global.get $count) (i32.const 2))
              (i32.shl (memory.size) (i32.const 16)))
          (then
            (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1))
              (then (call $refuse (i32.const 0) (global.get $tail) (i64.const 0))))))
        (i32.store
          (i32.shl (global.get $count) (i32.const 2))
          (i32.wrap_i64 (i64.add (global.get $tail) (i64.const 12))))
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (global.set $tail
          (i64.add
            (i64.add (global.get $tail) (i64.const 12))
            (call $size (global.get $tail))))
        (br $next))))

  ;; The data address of the last block seen that starts at or before this one, or 0.
  (func $nearest (param $address i64) (result i64)
    (local $low i32) (local $high i32) (local $middle i32)
    (if (i64.gt_u (local.get $address) (i64.const 0xffffffff))
      (then (return (i64.const 0))))
    (local.set $high (global.get $count))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $low) (local.get $high)))
        (local.set $middle
          (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))
        (if (i32.le_u
              (i32.load (i32.shl (local.get $middle) (i32.const 2)))
              (i32.wrap_i64 (local.get $address)))
          (then (local.set $low (i32.add (local.get $middle) (i32.const 1))))
          (else (local.set $high (local.get $middle))))
        (br $next)))
    (if (i32.eqz (local.get $low))
      (then (return (i64.const 0))))
    (i64.extend_i32_u
      (i32.load (i32.shl (i32.sub (local.get $low) (i32.const 1)) (i32.const 2)))))

  ;; Makes the live block around an address the last one found, if there is one.
  (func $find (param $address i64)
    (local $data i64) (local $header i64) (local $next i64)
    (if (i64.lt_u
          (i64.sub (local.get $address) (global.get $start_before))
          (global.get $used_before))
      (then
        (call $remember (global.get $start_before) (global.get $used_before))
        (return)))
    (call $catch_up)
    (local.set $data (call $nearest (local.get $address)))
    (if (i64.eqz (local.get $data))
      (then (return)))
    (block $found
      (loop $walk
        (local.set $header (i64.sub (local.get $data) (i64.const 12)))
        (local.set $next (i64.add (local.get $data) (call $size (local.get $header))))
        (br_if $found (i64.lt_u (local.get $address) (local.get $next)))
        (local.set $data (i64.add (local.get $next) (i64.const 12)))
        (if (i64.ge_u (local.get $next) (global.get $tail))
          (then (return)))
        (br_if $walk (i64.ge_u (local.get $address) (local.get $data)))
        (return)))
    (if (i32.eq (call $load_u8 (local.get $header)) (i32.const 1))
      (then
        (call $remember
          (local.get $data)
          (i64.and
            (call $load_u64 (i64.add (local.get $header) (i64.const 8)))
            (i64.const 0xffffffff))))))

  (func $length (export "length") (export "length_unsafe") (param $handle i64) (result i64)
    (if (i64.eqz (local.get $handle))
      (then (return (i64.const 0))))
    (if (i64.ne (local.get $handle) (global.get $start))
      (then (call $find (local.get $handle))))
    (select
      (global.get $used)
      (i64.const 0)
      (i64.eq (local.get $handle) (global.get $start))))

  ;; How many bytes all live blocks have together, those that the host made included.
  (func $total (result i64)
    (local $header i64) (local $total i64)
    (local.set $header (i64.const 65))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (call $load_u8 (local.get $header))))
        (if (i32.eq (call $load_u8 (local.get $header)) (i32.const 1))
          (then
            (local.set $total
              (i64.add
                (local.get $total)
                (i64.and
                  (call $load_u64 (i64.add (local.get $header) (i64.const 8)))
                  (i64.const 0xffffffff))))))
        (local.set $header
          (i64.add
            (i64.add (local.get $header) (i64.const 12))
            (call $size (local.get $header))))
        (br $next)))
    (local.get $total))

  ;; Whether this many bytes more are too many, which the host is told.
  (func $exceeds (param $length i64) (result i32)
    (local $total i64)
    (if (i64.eq (global.get $limit) (i64.const -1))
      (then (return (i32.const 0))))
    ;; Most plugins stay far below their limit, and need no count of every block.
    (call $catch_up)
    (if (i64.le_u (i64.add (global.get $tail) (local.get $length)) (global.get $limit))
      (then (return (i32.const 0))))
    (local.set $total (i64.add (call $total) (local.get $length)))
    (if (i64.le_u (local.get $total) (global.get $limit))
      (then (return (i32.const 0))))
    (call $host_limited (local.get $total))
    (i32.const 1))

  ;; The kernel's sums wrap for sizes near 2^32; nothing that large can be had anyway.
  (func $alloc (export "alloc") (param $length i64) (result i64)
    (local $data i64)
    (if (i64.gt_u (local.get $length) (i64.const 0xfff00000))
      (then (return (i64.const 0))))
    (if (call $exceeds (local.get $length))
      (then (return (i64.const 0))))
    (local.set $data (call $kernel_alloc (local.get $length)))
    (if (i64.ne (local.get $data) (i64.const 0))
      (then (call $remember (local.get $data) (local.get $length))))
    (local.get $data))

  ;; A block for the value of this length that the host has for the guest; 0 if that is less
  ;; than none. The kernel makes no block of length 0: that is one of which no byte is in use.
  (func $fetch (param $length i64) (result i64)
    (local $data i64)
    (if (i64.lt_s (local.get $length) (i64.const 0))
      (then (return (i64.const 0))))
    (local.set $data
      (call $alloc
        (select (local.get $length) (i64.const 1) (i64.ne (local.get $length) (i64.const 0)))))
    (if (i64.eqz (local.get $data))
      (then (call $refuse (i32.const 5) (i64.const 0) (local.get $length))))
    (if (i64.eqz (local.get $length))
      (then
        (call $forget)
        (call $kernel_store_u8 (i64.sub (local.get $data) (i64.const 4)) (i32.const 0)))
      (else (call $host_fetch (local.get $data) (local.get $length))))
    (local.get $data))

  ;; Whether a block starts here.
  (func $is_block (param $handle i64) (result i32)
    (drop (call $length (local.get $handle)))
    (i32.and
      (i64.ne (local.get $handle) (i64.const 0))
      (i64.eq (local.get $handle) (global.get $start))))

  ;; The kernel reads a header wherever it is told to.
  (func $free (export "free") (param $handle i64)
    (local $is_block i32)
    (local.set $is_block (call $is_block (local.get $handle)))
    (call $forget)
    (if (local.get $is_block)
      (then
        (call $kernel_free (local.get $handle))
        ;; The host counts those it has made, as long as they are there.
        (if (i64.ne (global.get $limit) (i64.const -1))
          (then (call $host_freed (local.get $handle)))))))

  (func (export "store_u8") (param $address i64) (param $value i32)
    (if (i64.ge_u (i64.sub (local.get $address) (global.get $start)) (global.get $used))
      (then
        (call $find (local.get $address))
        (if (i64.ge_u (i64.sub (local.get $address) (global.get $start)) (global.get $used))
          (then (call $refuse (i32.const 1) (local.get $address) (i64.const 1))))))
    (call $kernel_store_u8 (local.get $address) (local.get $value)))

  (func (export "store_u64") (param $address i64) (param $value i64)
    (if (i64.ge_u (i64.sub (local.get $address) (global.get $start)) (global.get $used8))
      (then
        (call $find (local.get $address))
        (if (i64.ge_u (i64.sub (local.get $address) (global.get $start)) (global.get $used8))
          (then (call $refuse (i32.const 1) (local.get $address) (i64.const 8))))))
    (call $kernel_store_u64 (local.get $address) (local.get $value)))

  ;; The kernel ignores an empty output at 0 and would keep the one before; any address of
  ;; its own stands for an empty output.
  (func (export "output_set") (param $address i64) (param $length i64)
    (global.set $output (i32.const 1))
    (if (i64.eqz (local.get $length))
      (then (call $kernel_output_set (i64.const 78) (i64.const 0)) (return)))
    (call $find (local.get $address))
    (if (i32.or
          (i64.ge_u (i64.sub (local.get $address) (global.get $start)) (global.get $used))
          (i64.gt_u
            (local.get $length)
            (i64.sub
              (global.get $used)
              (i64.sub (local.get $address) (global.get $start)))))
      (then (call $refuse (i32.const 2) (local.get $address) (local.get $length))))
    (call $kernel_output_set (local.get $address) (local.get $length)))

  (func (export "error_set") (param $handle i64)
    (local $length i64)
    (local.set $length (call $length (local.get $handle)))
    (if (i64.ne (local.get $handle) (i64.const 0))
      (then
        (if (i64.eqz (local.get $length))
          (then (call $refuse (i32.const 3) (local.get $handle) (i64.const 0))))))
    (global.set $error (local.get $handle))
    (call $host_error_set (local.get $handle) (local.get $length)))

  (func (export "error_get") (result i64)
    (global.get $error))

  (func $checked_length (param $handle i64) (result i64)
    (if (i32.eqz (call $is_block (local.get $handle)))
      (then (call $refuse (i32.const 6) (local.get $handle) (i64.const 0))))
    (call $length (local.get $handle)))

  ;; A key, and a value that is set, belong to the host once they are handed over.

  (func (export "config_get") (param $key i64) (result i64)
    (local $length i64)
    (local.set $length
      (call $host_config_get (local.get $key) (call $checked_length (local.get $key))))
    (call $free (local.get $key))
    (call $fetch (local.get $length)))

  (func (export "var_get") (param $key i64) (result i64)
    (local $length i64)
    (local.set $length
      (call $host_var_get (local.get $key) (call $checked_length (local.get $key))))
    (call $free (local.get $key))
    (call $fetch (local.get $length)))

  (func (export "var_set") (param $key i64) (param $value i64)
    (local $length i64)
    (if (i64.ne (local.get $value) (i64.const 0))
      (then (local.set $length (call $checked_length (local.get $value)))))
    (call $host_var_set
      (local.get $key) (call $checked_length (local.get $key))
      (local.get $value) (local.get $length))
    (call $free (local.get $key))
    (call $free (local.get $value)))

  (func (export "http_request") (param $request i64) (param $body i64) (result i64)
    (call $host_http_request (local.get $request) (local.get $body))
    (call $free (local.get $request))
    (call $free (local.get $body)))

  (func (export "http_headers") (result i64)
    (call $host_http_headers)
    (call $forget))

  ;; A message belongs to the log once it is handed over.
  (func $log (param $level i32) (param $message i64)
    (call $host_log
      (local.get $level) (local.get $message) (call $length (local.get $message)))
    (call $free (local.get $message)))
  (func (export "log_trace") (param i64) (call $log (i32.const 0) (local.get 0)))
  (func (export "log_debug") (param i64) (call $log (i32.const 1) (local.get 0)))
  (func (export "log_info") (param i64) (call $log (i32.const 2) (local.get 0)))
  (func (export "log_warn") (param i64) (call $log (i32.const 3) (local.get 0)))
  (func (export "log_error") (param i64) (call $log (i32.const 4) (local.get 0)))

  (global (export "files") (mut i32) (i32.const 0))

  ;; WASI's own cannot be interrupted, or opens too many files. Where nothing can take their place
  ;; (see wasi.wat), they are not supported, which is 58 in WASI.
  (func (export "poll_oneoff") (param i32 i32 i32 i32) (result i32) (i32.const 58))
  (func (export "path_open")
    (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 58))

  ;; What only the driver may use.

  ;; Starts a call with an empty memory: the address for an input of this length.
  (func (export "begin") (param $length i64) (result i64)
    (local $data i64)
    (global.set $count (i32.const 0))
    (global.set $tail (i64.const 65))
    (global.set $output (i32.const 0))
    (global.set $error (i64.const 0))
    (call $forget)
    (call $kernel_reset)
    (if (i64.eqz (local.get $length))
      (then (return (i64.const 0))))
    (local.set $data (call $alloc (local.get $length)))
    (if (i64.eqz (local.get $data))
      (then (call $refuse (i32.const 4) (i64.const 0) (local.get $length))))
    (call $kernel_input_set (local.get $data) (local.get $length))
    (local.get $data))

  (func (export "output") (result i32)
    (global.get $output))

  ;; host functions: wrappers
)
