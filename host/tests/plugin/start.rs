//! Code that runs when an instance is made: once, and as a part of the call that needs it.

use std::time::{Duration, Instant};

use extism_host::call::Call;
use extism_host::error::Code;

use crate::common::source::{EXIT, HOST, embedded, guest, guest_with, modules, source};
use crate::common::{Plugin, gives, next_id};

fn starting(start: &str) -> String {
    format!(
        r#"(global $runs (mut i32) (i32.const 0))
        (func $start {start} (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
        (start $start)
        (func (export "runs") (result i32) (global.get $runs))"#
    )
}

#[test]
fn start_code_runs_once_for_each_instance() {
    let start = "(drop (call $config_get (call $alloc (i64.const 3))))";
    let mut plugin = Plugin::open(source(&guest(&starting(start))));
    for _ in 0..3 {
        assert_eq!(plugin.number("runs"), 1);
        assert_eq!(plugin.number("runs"), 1);
        assert_eq!(plugin.code("trap"), Code::Trap);
    }
}

#[test]
fn start_code_is_stopped_like_any_call() {
    let mut plugin = Plugin::open(source(&guest(&starting("(loop $l (br $l))"))));
    for _ in 0..2 {
        let id = plugin.submit_timed("runs", Duration::from_millis(50));
        assert_eq!(plugin.wait(id).unwrap_err().code, Code::Timeout);
        let id = plugin.submit("runs", b"");
        plugin.until_active(1);
        plugin.host.run_for(Duration::from_millis(5));
        assert!(plugin.pool.cancel(id));
        assert_eq!(plugin.wait(id).unwrap_err().code, Code::Cancelled);
    }
    assert_eq!(plugin.pool.report().instances, 0);
}

#[test]
fn start_code_that_fails_fails_each_call() {
    for (start, code) in [
        ("unreachable", Code::Trap),
        (
            "(call $error_set (call $char (i32.const 0x65)))",
            Code::Guest,
        ),
        ("(call $store_u8 (i64.const 1) (i32.const 1))", Code::Memory),
        ("(call $exit (i32.const 4))", Code::Exit),
    ] {
        let wat = guest_with(
            EXIT,
            &format!(r#"(memory (export "memory") 1) {}"#, starting(start)),
        );
        let mut plugin = Plugin::open(source(&wat));
        for _ in 0..2 {
            let failure = plugin.failure("runs");
            assert_eq!(failure.code, code, "{start}: {failure}");
            let exit_code = (code == Code::Exit).then_some(4);
            assert_eq!(failure.exit_code, exit_code, "{start}");
        }
    }
}

#[test]
fn start_code_calls_host_functions() {
    let start = "(if (i64.ne (call $host (i64.const 5)) (i64.const 6)) (then unreachable))";
    let mut source = source(&guest_with(HOST, &starting(start)));
    source.functions = vec![embedded("host")];
    let mut plugin = Plugin::open(source);
    let id = plugin.submit("runs", b"");
    let host_call = plugin.host.host_call();
    assert_eq!(host_call.inputs[0].unwrap_i64(), 5);
    assert!(host_call.finish(gives(6).unwrap()));
    assert_eq!(plugin.wait(id).unwrap_err().exit_code, Some(1));
}

#[test]
fn a_call_of_no_function_makes_an_instance_and_runs_its_start_code() {
    let mut plugin = Plugin::open(source(&guest(&starting(""))));
    let id = next_id();
    plugin.pool.submit(Call {
        id,
        function: None,
        input: Vec::new(),
        timeout: None,
        nested: false,
        queue: plugin.host.queue.clone(),
        queued: Instant::now(),
    });
    assert_eq!(plugin.wait(id).unwrap(), None);
    let report = plugin.pool.report();
    assert_eq!((report.instances, report.calls), (1, 0));
    assert_eq!(plugin.number("runs"), 1);
    assert_eq!(plugin.pool.report().calls, 1);
}

#[test]
fn initializers_run_in_their_order_before_the_first_call() {
    let text = r#"(global $order (mut i32) (i32.const 0))
      (func $did (param i32) (global.set $order (i32.add (i32.mul (global.get $order) (i32.const 10)) (local.get 0))))
      (func $start (call $did (i32.const 1))) (start $start)
      (func (export "_initialize") (call $did (i32.const 2)))
      (func (export "hs_init") (param i32 i32) (call $did (i32.const 3)))
      (func (export "order") (result i32) (global.get $order))"#;
    let mut plugin = Plugin::open(source(&guest(text)));
    assert_eq!(plugin.number("order"), 123);
    let text = text
        .replace("hs_init", "__wasm_call_ctors")
        .replace("(param i32 i32) ", "");
    let mut plugin = Plugin::open(source(&guest(&text)));
    assert_eq!(plugin.number("order"), 13);
}

#[test]
fn modules_that_import_from_each_other_run() {
    let even = r#"(module (import "main" "odd" (func $odd (param i32) (result i32)))
      (func (export "even") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))
          (else (return_call $odd (i32.sub (local.get 0) (i32.const 1)))))))"#;
    let main = r#"(module (import "even" "even" (func $even (param i32) (result i32)))
      (func (export "odd") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
          (else (return_call $even (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "million") (result i32) (call $even (i32.const 1000000)))
      (func (export "odd one") (result i32) (call $even (i32.const 1000001)))
      (func (export "trap") unreachable))"#;
    let mut plugin = Plugin::open(modules(&[("even", even), ("main", main)]));
    for _ in 0..2 {
        assert_eq!(plugin.number("million"), 1);
        assert_eq!(plugin.number("odd one"), 0);
        assert_eq!(plugin.code("trap"), Code::Trap);
    }
}

#[test]
fn a_call_through_a_circle_before_it_is_closed_traps() {
    let a = r#"(module (import "main" "f" (func $f)) (func (export "g")) (start $f))"#;
    let main = r#"(module (import "a" "g" (func)) (func (export "f")) (func (export "run")))"#;
    let mut plugin = Plugin::open(modules(&[("a", a), ("main", main)]));
    assert_eq!(plugin.code("run"), Code::Trap);
}

#[test]
fn modules_share_blocks_input_and_output() {
    let side = format!(
        r#"(module {} (func (export "give") (call $output_set (call $input_offset) (call $input_length))))"#,
        crate::common::source::SERVICES
    );
    let main = r#"(module (import "side" "give" (func $give)) (func (export "run") (call $give)))"#;
    let mut plugin = Plugin::open(modules(&[("side", &side), ("main", main)]));
    assert_eq!(plugin.text("run", "through"), "through");
}
