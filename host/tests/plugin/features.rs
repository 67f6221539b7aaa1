//! What of WebAssembly guests may use.

use extism_host::error::Code;

use crate::common::Plugin;
use crate::common::source::{guest, source};

/// The number that a guest's function `run` returns.
fn run(functions: &str) -> i32 {
    Plugin::open(source(&guest(functions))).number("run")
}

#[test]
fn exceptions_are_thrown_and_caught() {
    let text = r#"(tag $e (param i32))
      (func $throws (throw $e (i32.const 41)))
      (func (export "run") (result i32)
        (block $caught (result i32)
          (try_table (catch $e $caught) (call $throws))
          (i32.const 0))
        (i32.add (i32.const 1)))
      (func (export "uncaught") (call $throws))"#;
    assert_eq!(run(text), 42);
    let mut plugin = Plugin::open(source(&guest(text)));
    let failure = plugin.failure("uncaught");
    assert_eq!(failure.code, Code::Trap, "{failure}");
    assert_eq!(plugin.number("run"), 42);
}

#[test]
fn tail_calls_need_no_stack() {
    assert_eq!(
        run(r#"(func $down (param i32) (result i32)
          (if (i32.eqz (local.get 0)) (then (return (i32.const 9))))
          (return_call $down (i32.sub (local.get 0) (i32.const 1))))
        (func (export "run") (result i32) (call $down (i32.const 5000000)))"#),
        9
    );
}

#[test]
fn structs_and_arrays_are_collected() {
    assert_eq!(
        run(r#"(type $pair (struct (field $a (mut i32)) (field $b i32)))
        (type $list (array (mut (ref null $pair))))
        (func (export "run") (result i32) (local $list (ref null $list)) (local $i i32) (local $sum i32)
          (local.set $list (array.new_default $list (i32.const 100)))
          (loop $l
            (array.set $list (local.get $list) (i32.rem_u (local.get $i) (i32.const 100))
              (struct.new $pair (local.get $i) (i32.const 1)))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10000))))
          (local.set $i (i32.const 0))
          (loop $l
            (local.set $sum (i32.add (local.get $sum)
              (struct.get $pair $b (array.get $list (local.get $list) (local.get $i)))))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100))))
          (local.get $sum))"#),
        100
    );
}

#[test]
fn globals_begin_with_structs_and_arrays() {
    assert_eq!(
        run(r#"(type $pair (struct (field i32) (field i32)))
        (type $list (array i8))
        (global $pair (ref $pair) (struct.new $pair (i32.const 40) (i32.const 2)))
        (global $list (ref $list) (array.new_default $list (i32.const 200000)))
        (func (export "run") (result i32)
          (i32.add
            (struct.get $pair 0 (global.get $pair))
            (i32.div_u (array.len (global.get $list)) (i32.const 100000))))"#),
        42
    );
}

#[test]
fn relaxed_simd_runs() {
    assert_eq!(
        run(r#"(func (export "run") (result i32)
          (i32.trunc_f32_s (f32x4.extract_lane 2
            (f32x4.relaxed_madd (f32x4.splat (f32.const 3)) (f32x4.splat (f32.const 4)) (f32x4.splat (f32.const 5))))))"#),
        17
    );
}

#[test]
fn memories_have_64_bits_and_there_are_several() {
    assert_eq!(
        run(r#"(memory $large i64 1) (memory $second 1)
        (func (export "run") (result i32)
          (i64.store $large (i64.const 1000) (i64.const 30))
          (i32.store $second (i32.const 1000) (i32.const 12))
          (memory.copy $large $second (i64.const 2000) (i32.const 1000) (i32.const 4))
          (i32.add (i32.wrap_i64 (i64.load $large (i64.const 1000))) (i32.load $large (i64.const 2000))))"#),
        42
    );
}

#[test]
fn typed_references_are_called() {
    assert_eq!(
        run(r#"(type $f (func (param i32) (result i32)))
        (func $double (type $f) (i32.mul (local.get 0) (i32.const 2)))
        (elem declare func $double)
        (func (export "run") (result i32) (call_ref $f (i32.const 21) (ref.func $double)))"#),
        42
    );
}

#[test]
fn shared_memories_are_refused() {
    let refused = Plugin::try_open(source(&guest("(memory 1 1 shared)")));
    assert_eq!(refused.map(drop).unwrap_err().code, Code::Module);
}
