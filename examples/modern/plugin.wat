;; Weather reports. `report` takes a city, `previous` gives the last report once more.

(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (import "extism:host/env" "http_request" (func $http_request (param i64 i64) (result i64)))
  (import "extism:host/env" "http_status_code" (func $http_status_code (result i32)))
  (import "extism:host/env" "log_info" (func $log_info (param i64)))

  ;; Takes a city, and gives the HTTP request that asks for its weather.
  (import "extism:host/user" "station" (func $station (param i64) (result i64)))

  (memory (export "memory") 1)
  (data (i32.const 0) "unit")
  (data (i32.const 8) "last")
  (data (i32.const 16) ": ")
  (data (i32.const 24) " ")
  (data (i32.const 32) "nobody knows the weather of ")
  (data (i32.const 64) "asking for ")

  ;; A new block with bytes of this plugin's memory.
  (func $text (param $from i32) (param $length i32) (result i64)
    (local $block i64) (local $i i32)
    (local.set $block (call $alloc (i64.extend_i32_u (local.get $length))))
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $length))
        (then
          (call $store_u8
            (i64.add (local.get $block) (i64.extend_i32_u (local.get $i)))
            (i32.load8_u (i32.add (local.get $from) (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (local.get $block))

  (func $copy (param $from i64) (param $to i64)
    (local $i i64)
    (loop $next
      (if (i64.lt_u (local.get $i) (call $length (local.get $from)))
        (then
          (call $store_u8
            (i64.add (local.get $to) (local.get $i))
            (call $load_u8 (i64.add (local.get $from) (local.get $i))))
          (local.set $i (i64.add (local.get $i) (i64.const 1)))
          (br $next)))))

  ;; A new block with one text after the other.
  (func $join (param $a i64) (param $b i64) (result i64)
    (local $block i64)
    (local.set $block
      (call $alloc (i64.add (call $length (local.get $a)) (call $length (local.get $b)))))
    (call $copy (local.get $a) (local.get $block))
    (call $copy (local.get $b) (i64.add (local.get $block) (call $length (local.get $a))))
    (local.get $block))

  ;; A new block with the input.
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

  (func (export "report") (result i32)
    (local $city i64) (local $weather i64) (local $report i64) (local $copied i64)
    (local.set $city (call $input))
    (call $log_info (call $join (call $text (i32.const 64) (i32.const 11)) (local.get $city)))
    (local.set $weather (call $http_request (call $station (local.get $city)) (i64.const 0)))
    (if (i32.ne (call $http_status_code) (i32.const 200))
      (then
        (call $error_set (call $join (call $text (i32.const 32) (i32.const 28)) (local.get $city)))
        (return (i32.const 1))))
    ;; city: weather unit
    (local.set $report (call $join (local.get $city) (call $text (i32.const 16) (i32.const 2))))
    (local.set $report (call $join (local.get $report) (local.get $weather)))
    (local.set $report (call $join (local.get $report) (call $text (i32.const 24) (i32.const 1))))
    (local.set $report
      (call $join (local.get $report) (call $config_get (call $text (i32.const 0) (i32.const 4)))))
    ;; Some hosts free what becomes a variable: that is a copy of the output.
    (local.set $copied (call $alloc (call $length (local.get $report))))
    (call $copy (local.get $report) (local.get $copied))
    (call $var_set (call $text (i32.const 8) (i32.const 4)) (local.get $copied))
    (call $give (local.get $report))
    (i32.const 0))

  (func (export "previous") (result i32)
    (local $report i64)
    (local.set $report (call $var_get (call $text (i32.const 8) (i32.const 4))))
    (if (i64.ne (local.get $report) (i64.const 0)) (then (call $give (local.get $report))))
    (i32.const 0)))
