;; Waits in a host function, once a call.
(module
  (import "extism:host/user" "pause" (func $pause (param i64) (result i64)))

  (memory (export "memory") 1)

  (func (export "wait")
    (i64.store (i32.const 0) (call $pause (i64.const 0)))))
