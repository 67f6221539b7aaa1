use std::sync::mpsc::{Receiver, channel};

use extism::Val;
use wasmparser::ValType;

use super::*;
use crate::call::Outcome;
use crate::error::Code;
use crate::host_function::{Body, Guest, HostFunction};
use crate::instance::Limits;
use crate::log::{Output, Passed};
use crate::log_file::LogFile;
use crate::module::{Module, Rules, Types, link};
use crate::variables::Scope;

fn request(function: usize, input: &[u8]) -> Request {
    Request {
        function,
        input: input.to_vec(),
        timeout: None,
        nested: false,
    }
}

struct Nowhere;

impl Output for Nowhere {
    fn print(&self, _: bool, _: &[u8]) -> Passed {
        Passed::Never
    }
}

type Job = fn(&mut Guest<'_>, &[Val], &mut [Val]) -> Result<(), Failure>;

impl Body for Job {
    fn call(
        &self,
        guest: &mut Guest<'_>,
        inputs: &[Val],
        outputs: &mut [Val],
    ) -> Result<(), Failure> {
        self(guest, inputs, outputs)
    }
}

fn no_http(_: &mut Guest<'_>, _: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    Err(Failure::new(Code::HostFunction, "no HTTP in this test"))
}

/// A host function `host(i64) -> i64`, if `job` is given.
fn plugin_with(wat: &str, timeout_ms: u64, max_pages: Option<u32>, job: Option<Job>) -> Plugin {
    let functions: Vec<_> = job
        .map(|job| HostFunction {
            namespace: None,
            name: "host".to_owned(),
            types: Some(Types::new(&[ValType::I64], &[ValType::I64])),
            body: Arc::new(job),
        })
        .into_iter()
        .collect();
    let signatures: Vec<_> = functions.iter().map(HostFunction::signature).collect();
    let module = Module::read("main", wat.into()).unwrap();
    let rules = Rules {
        wasi: true,
        max_pages: max_pages.unwrap_or(65_536),
        ..Rules::default()
    };
    let recipe = Recipe {
        blueprint: link(vec![module], &signatures, &rules).unwrap(),
        functions,
        http: std::array::from_fn(|_| Arc::new(no_http as Job) as _),
        logger: Arc::new(LogFile),
        output: Arc::new(Nowhere),
        config: [("key".to_owned(), "value".to_owned())].into(),
        wasi: true,
        allowed_paths: Default::default(),
        limits: Limits {
            output_bytes: u64::MAX,
            stack_bytes: 512 << 10,
            log_bytes: u64::MAX,
        },
        block_pages: None,
        max_var_bytes: 1 << 20,
        variables: Scope::Guest,
        fuel: None,
        codes_are_errors: true,
        cache: None,
    };
    let options = Options {
        instances: 1,
        max_queue: 1000,
        queue_timeout: None,
        timeout: Some(Duration::from_millis(timeout_ms)),
    };
    Plugin::new(recipe, options).unwrap()
}

fn plugin(wat: &str) -> Plugin {
    plugin_with(wat, 30_000, None, None)
}

fn submit(plugin: &Plugin, name: &str, input: &[u8]) -> Receiver<Outcome> {
    let names = &plugin.recipe().blueprint.functions;
    let function = names.iter().position(|known| known == name).unwrap();
    let (sender, receiver) = channel();
    plugin.call(request(function, input), Box::new(sender));
    receiver
}

fn call(plugin: &Plugin, name: &str, input: &[u8]) -> Outcome {
    submit(plugin, name, input).recv().unwrap()
}

fn output(plugin: &Plugin, name: &str, input: &[u8]) -> Vec<u8> {
    call(plugin, name, input).unwrap().unwrap()
}

fn code(plugin: &Plugin, name: &str) -> Code {
    call(plugin, name, b"").unwrap_err().code
}

const SERVICES: &str = r#"
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "length_unsafe" (func $length_unsafe (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "log_info" (func $log_info (param i64)))
  (func (export "echo") (call $output_set (call $input_offset) (call $input_length)))
"#;

fn guest(functions: &str) -> String {
    format!("(module {SERVICES} {functions})")
}

#[test]
fn gives_the_output_that_was_set() {
    let plugin = plugin(&guest(
        r#"(func (export "nothing"))
        (func (export "part") (call $output_set (i64.add (call $input_offset) (i64.const 1)) (i64.const 2)))
        (func (export "emptied") (call $output_set (call $input_offset) (i64.const 3))
          (call $output_set (i64.const 0) (i64.const 0)))"#,
    ));
    let big = vec![7; 1 << 20];
    assert_eq!(output(&plugin, "echo", &big), big);
    assert_eq!(output(&plugin, "echo", b""), b"");
    assert_eq!(output(&plugin, "part", b"abcd"), b"bc");
    assert_eq!(output(&plugin, "emptied", b"abcd"), b"");
    assert_eq!(call(&plugin, "nothing", b"x").unwrap(), None);
}

#[test]
fn keeps_state_until_the_guest_cannot_go_on() {
    let wat = guest(
        r#"(global $calls (mut i32) (i32.const 0))
        (memory (export "memory") 1)
        (func (export "count") (result i32)
          (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
          (global.get $calls))
        (func (export "trap") unreachable)
        (func (export "spin") (loop $l (br $l)))
        (func (export "exit0")
          (call $output_set (call $input_offset) (call $input_length))
          (call $exit (i32.const 0)))
        (func (export "exit3") (call $exit (i32.const 3)))
        (func (export "_start"))"#,
    );
    let exit = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;
    let wat = wat.replacen("(module", exit, 1);
    let plugin = plugin_with(&wat, 100, None, None);
    let count = |expected| {
        let failure = call(&plugin, "count", b"").unwrap_err();
        assert_eq!(
            (failure.code, failure.exit_code),
            (Code::Exit, Some(expected))
        );
    };
    for (function, expected) in [
        ("trap", Code::Trap),
        ("spin", Code::Timeout),
        ("exit3", Code::Exit),
    ] {
        count(1);
        count(2);
        assert_eq!(code(&plugin, function), expected, "{function}");
    }
    count(1);
    assert_eq!(output(&plugin, "exit0", b"bye"), b"bye");
    count(1);
    assert_eq!(call(&plugin, "_start", b"").unwrap(), None);
    count(1);
}

#[test]
fn refuses_stores_outside_of_blocks_and_serves_on() {
    let plugin = plugin(&guest(
        r#"(func (export "header") (call $store_u8 (i64.sub (call $alloc (i64.const 8)) (i64.const 1)) (i32.const 1)))
        (func (export "header64") (call $store_u64 (i64.sub (call $alloc (i64.const 8)) (i64.const 8)) (i64.const -1)))
        (func (export "end") (call $store_u8 (i64.add (call $alloc (i64.const 8)) (i64.const 8)) (i32.const 1)))
        (func (export "end64") (call $store_u64 (i64.add (call $alloc (i64.const 8)) (i64.const 1)) (i64.const -1)))
        (func (export "root") (call $store_u64 (i64.const 9) (i64.const -1)))
        (func (export "beyond") (call $store_u8 (i64.const 60000) (i32.const 1)))
        (func (export "far") (call $store_u64 (i64.const -4) (i64.const -1)))
        (func (export "freed") (local $p i64) (local.set $p (call $alloc (i64.const 8)))
          (call $free (local.get $p)) (call $store_u8 (local.get $p) (i32.const 1)))
        (func (export "long") (call $output_set (call $alloc (i64.const 8)) (i64.const -1)))
        (func (export "longer") (call $output_set (call $alloc (i64.const 8)) (i64.const 9)))
        (func (export "nowhere") (call $output_set (i64.const 100000) (i64.const 1)))
        (func (export "error") (call $error_set (i64.add (call $alloc (i64.const 8)) (i64.const 1))))"#,
    ));
    let functions: Vec<_> = plugin.recipe().blueprint.functions.clone();
    for function in functions.iter().filter(|name| *name != "echo") {
        assert_eq!(code(&plugin, function), Code::Memory, "{function}");
        assert_eq!(output(&plugin, "echo", b"still here"), b"still here");
    }
}

#[test]
fn finds_blocks_in_any_order_of_allocation() {
    // Fills the kernel's first page, frees every other block, and allocates smaller ones, so
    // that the kernel reuses and splits; then writes each block to its end and checks lengths.
    let plugin = plugin(&guest(
        r#"(memory 1)
        (func $block (param $i i32) (result i64) (i64.load (i32.shl (local.get $i) (i32.const 3))))
        (func $keep (param $i i32) (param $p i64) (i64.store (i32.shl (local.get $i) (i32.const 3)) (local.get $p)))
        (func $fill (param $p i64) (param $n i64)
          (loop $l
            (local.set $n (i64.sub (local.get $n) (i64.const 1)))
            (call $store_u8 (i64.add (local.get $p) (local.get $n)) (i32.const 7))
            (br_if $l (i64.ne (local.get $n) (i64.const 0)))))
        (func (export "shuffle") (result i32) (local $i i32) (local $wrong i32)
          (loop $make
            (call $keep (local.get $i) (call $alloc (i64.const 1000)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $make (i32.lt_u (local.get $i) (i32.const 60))))
          (local.set $i (i32.const 0))
          (loop $free
            (call $free (call $block (local.get $i)))
            (local.set $i (i32.add (local.get $i) (i32.const 2)))
            (br_if $free (i32.lt_u (local.get $i) (i32.const 60))))
          (local.set $i (i32.const 0))
          (loop $again
            (call $keep (local.get $i) (call $alloc (i64.const 600)))
            (call $keep (i32.add (local.get $i) (i32.const 100)) (call $alloc (i64.const 100)))
            (local.set $i (i32.add (local.get $i) (i32.const 2)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 60))))
          (local.set $i (i32.const 0))
          (loop $check
            (call $fill (call $block (local.get $i)) (i64.const 600))
            (call $fill (call $block (i32.add (local.get $i) (i32.const 100))) (i64.const 100))
            (call $fill (call $block (i32.add (local.get $i) (i32.const 1))) (i64.const 1000))
            (local.set $wrong (i32.or (local.get $wrong) (i32.or (i32.or
              (i64.ne (call $length (call $block (local.get $i))) (i64.const 600))
              (i64.ne (call $length_unsafe (call $block (i32.add (local.get $i) (i32.const 100)))) (i64.const 100)))
              (i64.ne (call $length (call $block (i32.add (local.get $i) (i32.const 1)))) (i64.const 1000)))))
            (local.set $i (i32.add (local.get $i) (i32.const 2)))
            (br_if $check (i32.lt_u (local.get $i) (i32.const 60))))
          (local.get $wrong))"#,
    ));
    for _ in 0..3 {
        assert_eq!(call(&plugin, "shuffle", b"").unwrap(), None);
    }
}

#[test]
fn a_block_that_the_host_frees_is_not_the_guests_any_longer() {
    let wat = guest(
        r#"(func (export "stale") (local $p i64)
          (local.set $p (call $alloc (i64.const 64)))
          (call $store_u8 (local.get $p) (i32.const 1))
          (drop (call $host (local.get $p)))
          (call $store_u8 (local.get $p) (i32.const 1)))"#,
    )
    .replacen(
        "(module",
        r#"(module (import "extism:host/user" "host" (func $host (param i64) (result i64)))"#,
        1,
    );
    let free: Job = |guest, inputs, _| {
        guest.free(inputs[0].unwrap_i64() as u64);
        Ok(())
    };
    let plugin = plugin_with(&wat, 30_000, None, Some(free));
    assert_eq!(code(&plugin, "stale"), Code::Memory);
}

#[test]
fn start_code_runs_once_within_the_timeout() {
    let wat = |start: &str| {
        guest(&format!(
            r#"(global $runs (mut i32) (i32.const 0))
            (func $start {start} (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
            (start $start)
            (func (export "runs") (result i32) (global.get $runs))"#
        ))
    };
    let good = plugin(&wat(
        "(drop (call $config_get (call $alloc (i64.const 3))))",
    ));
    for _ in 0..2 {
        assert_eq!(call(&good, "runs", b"").unwrap_err().exit_code, Some(1));
    }
    let endless = plugin_with(&wat("(loop $l (br $l))"), 100, None, None);
    assert_eq!(code(&endless, "runs"), Code::Timeout);
    assert_eq!(code(&endless, "runs"), Code::Timeout);
    assert_eq!(code(&plugin(&wat("unreachable")), "runs"), Code::Trap);
}

#[test]
fn a_panic_in_a_host_function_fails_one_call() {
    let wat = guest(r#"(func (export "go") (drop (call $host (i64.const 1))))"#).replacen(
        "(module",
        r#"(module (import "env" "host" (func $host (param i64) (result i64)))"#,
        1,
    );
    let plugin = plugin_with(&wat, 30_000, None, Some(|_, _, _| panic!("on purpose")));
    for _ in 0..2 {
        let failure = call(&plugin, "go", b"").unwrap_err();
        assert_eq!(
            (failure.code, failure.message.as_str()),
            (Code::Internal, "on purpose")
        );
        assert_eq!(output(&plugin, "echo", b"ok"), b"ok");
    }
}

#[test]
fn a_stop_hits_the_running_call_and_no_other() {
    let plugin = plugin(&guest(r#"(func (export "spin") (loop $l (br $l)))"#));
    assert!(!plugin.cancel_running());
    for _ in 0..50 {
        let spinning = submit(&plugin, "spin", b"");
        let next = submit(&plugin, "echo", b"next");
        while !plugin.cancel_running() {
            std::thread::yield_now();
        }
        assert_eq!(spinning.recv().unwrap().unwrap_err().code, Code::Cancelled);
        assert_eq!(next.recv().unwrap().unwrap().unwrap(), b"next");
    }
}

#[test]
fn closing_finishes_or_aborts_what_was_accepted() {
    let spins = guest(r#"(func (export "spin") (loop $l (br $l)))"#);
    let aborted = plugin(&spins);
    let calls: Vec<_> = (0..3).map(|_| submit(&aborted, "spin", b"")).collect();
    aborted.abort();
    for call in calls {
        assert_eq!(call.recv().unwrap().unwrap_err().code, Code::Closed);
    }
    let drained = plugin(&spins);
    let calls: Vec<_> = (0..100).map(|_| submit(&drained, "echo", b"x")).collect();
    drained.close(None);
    for call in calls {
        assert_eq!(call.recv().unwrap().unwrap().unwrap(), b"x");
    }
    assert_eq!(code(&drained, "echo"), Code::Closed);
}

#[test]
fn memory_is_bounded_and_the_bound_counts_what_a_guest_starts_with() {
    let wat = guest(
        r#"(memory 8)
        (func (export "grow") (drop (memory.grow (i32.const 4))))
        (func (export "alloc") (drop (call $alloc (i64.const 0x7fffffff))))
        (func (export "huge") (result i32) (i64.ne (call $alloc (i64.const -1)) (i64.const 0)))"#,
    );
    let plugin = plugin_with(&wat, 30_000, Some(11), None);
    for function in ["grow", "alloc"] {
        assert_eq!(code(&plugin, function), Code::OutOfMemory, "{function}");
    }
    assert_eq!(call(&plugin, "huge", b"").unwrap(), None);
    let failure = call(&plugin, "echo", &vec![0; 1 << 20]).unwrap_err();
    assert_eq!(failure.code, Code::OutOfMemory);
    assert_eq!(output(&plugin, "echo", b"ok"), b"ok");
}

/// Sleeps for the nanoseconds in `timeout`, by a clock subscription with these flags.
fn sleeper(flags: u32) -> String {
    guest(&format!(
        r#"(memory (export "memory") 1)
        (func (export "sleep") (result i32)
          (i64.store (i32.const 0) (i64.const 77))
          (i32.store (i32.const 16) (i32.const 1))
          (drop (call $now (i32.const 1) (i64.const 1) (i32.const 200)))
          (i64.store (i32.const 24) (i64.add
            (select (i64.load (i32.const 200)) (i64.const 0) (i32.const {flags}))
            (i64.mul (i64.const 1000000) (call $input_length))))
          (i32.store16 (i32.const 40) (i32.const {flags}))
          (if (call $poll (i32.const 0) (i32.const 104) (i32.const 1) (i32.const 300))
            (then (return (i32.const 1))))
          (i32.or
            (i32.ne (i32.load (i32.const 300)) (i32.const 1))
            (i64.ne (i64.load (i32.const 104)) (i64.const 77))))"#
    ))
    .replacen(
        "(module",
        r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $now (param i32 i64 i32) (result i32)))"#,
        1,
    )
}

#[test]
fn a_guest_can_sleep() {
    for flags in [0, 1] {
        let plugin = plugin(&sleeper(flags));
        let start = Instant::now();
        assert_eq!(call(&plugin, "sleep", &[0; 20]).unwrap(), None);
        assert!(start.elapsed() >= Duration::from_millis(19));
    }
}

#[test]
fn a_guest_that_sleeps_can_be_stopped() {
    let a_day = vec![0; 24 * 3600 * 1000];
    for flags in [0, 1] {
        let plugin = plugin_with(&sleeper(flags), 100, None, None);
        assert_eq!(
            call(&plugin, "sleep", &a_day).unwrap_err().code,
            Code::Timeout
        );
        let sleeping = submit(&plugin, "sleep", &a_day);
        while !plugin.cancel_running() {
            std::thread::yield_now();
        }
        assert_eq!(sleeping.recv().unwrap().unwrap_err().code, Code::Cancelled);
        assert_eq!(call(&plugin, "sleep", b"").unwrap(), None);
    }
}
