;; The memory of a guest, and what replaces some functions of WASI: only code that shares the
;; memory can, so it moves in here and the guest imports it.
;;
;; WASI's own `poll_oneoff` cannot be interrupted: a guest could keep its thread for a year.
;; Files are ready at once, as those of a guest are; clocks are waited for by the host, which a
;; stop can end.
;;
;; WASI's own `fd_write` prints to nowhere, unless the environment of the process says otherwise.
;;
;; WASI's own `path_open` opens files for as long as the process can have any, which leaves none to
;; the host and to other plugins.
(module
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close"
    (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber"
    (func $fd_renumber (param i32 i32) (result i32)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism-napi:guard" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism-napi:guard" "free" (func $free (param i64)))
  (import "extism-napi:host" "sleep" (func $sleep (param i64)))
  (import "extism-napi:host" "print" (func $print (param i32 i64 i64) (result i32)))
  ;; How many files all modules have open, about: one that gives its place to another is not.
  (import "extism-napi:guard" "files" (global $files (mut i32)))
  (memory (export "memory") SIZE)

  ;; Nanoseconds until a subscription is due. A clock's time is read by way of `scratch`, which
  ;; an event is written to later.
  (func $left (param $subscription i32) (param $scratch i32) (result i64)
    (local $timeout i64)
    (if (i32.load8_u offset=8 (local.get $subscription))
      (then (return (i64.const 0))))
    (local.set $timeout (i64.load offset=24 (local.get $subscription)))
    (if (i32.eqz (i32.and (i32.load16_u offset=40 (local.get $subscription)) (i32.const 1)))
      (then (return (local.get $timeout))))
    (drop (call $clock_time_get
      (i32.load offset=16 (local.get $subscription)) (i64.const 1) (local.get $scratch)))
    (if (i64.le_u (local.get $timeout) (i64.load (local.get $scratch)))
      (then (return (i64.const 0))))
    (i64.sub (local.get $timeout) (i64.load (local.get $scratch))))

  ;; Whether a subscription is due after a sleep of this long. What is due at a point in time
  ;; may be a little early by another clock.
  (func $due (param $subscription i32) (param $scratch i32) (param $slept i64) (result i32)
    (i64.le_u
      (call $left (local.get $subscription) (local.get $scratch))
      (select
        (i64.const 1000000)
        (local.get $slept)
        (i32.and
          (i32.eqz (i32.load8_u offset=8 (local.get $subscription)))
          (i32.and (i32.load16_u offset=40 (local.get $subscription)) (i32.const 1))))))

  (func (export "poll_oneoff")
    (param $in i32) (param $out i32) (param $length i32) (param $count i32) (result i32)
    (local $index i32) (local $subscription i32) (local $event i32)
    (local $left i64) (local $least i64)
    ;; EINVAL
    (if (i32.eqz (local.get $length))
      (then (return (i32.const 28))))
    (local.set $least (i64.const -1))
    (local.set $subscription (local.get $in))
    (loop $next
      (local.set $left (call $left (local.get $subscription) (local.get $out)))
      (if (i64.lt_u (local.get $left) (local.get $least))
        (then (local.set $least (local.get $left))))
      (local.set $subscription (i32.add (local.get $subscription) (i32.const 48)))
      (local.set $index (i32.add (local.get $index) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $index) (local.get $length))))
    (call $sleep (local.get $least))
    (local.set $index (i32.const 0))
    (local.set $subscription (local.get $in))
    (local.set $event (local.get $out))
    (loop $next
      (if (call $due (local.get $subscription) (local.get $event) (local.get $least))
        (then
          (i64.store (local.get $event) (i64.load (local.get $subscription)))
          (i64.store offset=8 (local.get $event) (i64.const 0))
          (i32.store8 offset=10 (local.get $event) (i32.load8_u offset=8 (local.get $subscription)))
          (i64.store offset=16 (local.get $event) (i64.const 0))
          (i64.store offset=24 (local.get $event) (i64.const 0))
          (local.set $event (i32.add (local.get $event) (i32.const 32)))))
      (local.set $subscription (i32.add (local.get $subscription) (i32.const 48)))
      (local.set $index (i32.add (local.get $index) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $index) (local.get $length))))
    (i32.store
      (local.get $count)
      (i32.shr_u (i32.sub (local.get $event) (local.get $out)) (i32.const 5)))
    (i32.const 0))

  ;; Prints bytes of the guest's to standard output or error, piece by piece. How many of them.
  (func $write (param $fd i32) (param $from i32) (param $length i32) (result i32)
    (local $block i64) (local $piece i32) (local $index i32) (local $done i32)
    (if (i32.eqz (i32.const PRINTS))
      (then (return (local.get $length))))
    (local.set $block (call $alloc (i64.const 4096)))
    (block $end
      (br_if $end (i64.eqz (local.get $block)))
      (loop $next
        (local.set $piece (i32.sub (local.get $length) (local.get $done)))
        (if (i32.gt_u (local.get $piece) (i32.const 4096))
          (then (local.set $piece (i32.const 4096))))
        (br_if $end (i32.eqz (local.get $piece)))
        (local.set $index (i32.const 0))
        (loop $byte
          (call $store_u8
            (i64.add (local.get $block) (i64.extend_i32_u (local.get $index)))
            (i32.load8_u
              (i32.add (i32.add (local.get $from) (local.get $done)) (local.get $index))))
          (local.set $index (i32.add (local.get $index) (i32.const 1)))
          (br_if $byte (i32.lt_u (local.get $index) (local.get $piece))))
        (br_if $end
          (i32.eqz
            (call $print
              (local.get $fd) (local.get $block) (i64.extend_i32_u (local.get $piece)))))
        (local.set $done (i32.add (local.get $done) (local.get $piece)))
        (br $next)))
    (call $free (local.get $block))
    (local.get $done))

  (func (export "fd_write")
    (param $fd i32) (param $parts i32) (param $count i32) (param $written i32) (result i32)
    (local $length i32) (local $done i32) (local $total i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1))
      (then
        (return
          (call $fd_write
            (local.get $fd) (local.get $parts) (local.get $count) (local.get $written)))))
    (block $end
      (loop $next
        (br_if $end (i32.eqz (local.get $count)))
        (local.set $length (i32.load offset=4 (local.get $parts)))
        (local.set $done
          (call $write (local.get $fd) (i32.load (local.get $parts)) (local.get $length)))
        (local.set $total (i32.add (local.get $total) (local.get $done)))
        (br_if $end (i32.ne (local.get $done) (local.get $length)))
        (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $total))
    ;; ENOMEM, where there was something to print and no room for any of it.
    (select
      (i32.const 48)
      (i32.const 0)
      (i32.and
        (i32.eqz (local.get $total))
        (i32.and
          (i32.ne (local.get $count) (i32.const 0))
          (i32.ne (local.get $length) (i32.const 0))))))

  ;; One less, unless there was an error, which this gives back.
  (func $closed (param $error i32) (result i32)
    (if (i32.eqz (local.get $error))
      (then (global.set $files (i32.sub (global.get $files) (i32.const 1)))))
    (local.get $error))

  (func (export "path_open")
    (param $fd i32) (param $look i32) (param $path i32) (param $length i32) (param $how i32)
    (param $rights i64) (param $inherited i64) (param $flags i32) (param $opened i32) (result i32)
    (local $error i32)
    ;; EMFILE
    (if (i32.ge_s (global.get $files) (i32.const FILES))
      (then (return (i32.const 33))))
    (local.set $error
      (call $path_open
        (local.get $fd) (local.get $look) (local.get $path) (local.get $length) (local.get $how)
        (local.get $rights) (local.get $inherited) (local.get $flags) (local.get $opened)))
    (if (i32.eqz (local.get $error))
      (then (global.set $files (i32.add (global.get $files) (i32.const 1)))))
    (local.get $error))

  (func (export "fd_close") (param $fd i32) (result i32)
    (call $closed (call $fd_close (local.get $fd))))

  ;; What had the other number is closed.
  (func (export "fd_renumber") (param $from i32) (param $to i32) (result i32)
    (if (i32.eq (local.get $from) (local.get $to))
      (then (return (call $fd_renumber (local.get $from) (local.get $to)))))
    (call $closed (call $fd_renumber (local.get $from) (local.get $to)))))
