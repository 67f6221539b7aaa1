//! What plugins of tests are made of.

use std::sync::{Arc, Mutex};

use extism_host::call::CallState;
use extism_host::error::{Code, Failure};
use extism_host::host_function::{Body, Caller, Embedded, HostFunction, RustFunction};
use extism_host::log::{Level, Logger, Passed};
use extism_host::module::{LinkOptions, Types};
use extism_host::module_bytes::ModuleBytes;
use extism_host::plugin_spec::Limits;
use extism_host::pool::{Options, PluginSource};
use extism_host::variables::Scope;
use extism_host::wasi::WasiOptions;
use wasmparser::ValType::{self, I32, I64};
use wasmtime::Val;

/// Every function of the environment, by its own name.
pub const SERVICES: &str = r#"
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "length_unsafe" (func $length_unsafe (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (import "extism:host/env" "log_info" (func $log_info (param i64)))
  (import "extism:host/env" "log_error" (func $log_error (param i64)))
  (import "extism:host/env" "get_log_level" (func $get_log_level (result i32)))"#;

/// What guests of tests have besides: functions that many of them call or export.
const COMMON: &str = r#"
  (func $give (param $block i64) (call $output_set (local.get $block) (call $length (local.get $block))))
  ;; A block with one character.
  (func $char (param $char i32) (result i64) (local $block i64)
    (local.set $block (call $alloc (i64.const 1)))
    (call $store_u8 (local.get $block) (local.get $char))
    (local.get $block))
  (func (export "echo") (call $output_set (call $input_offset) (call $input_length)))
  (func (export "spin") (loop $l (br $l)))
  (func (export "trap") unreachable)"#;

/// The text of a guest with all services, `echo`, `spin` and `trap`.
pub fn guest(functions: &str) -> String {
    guest_with("", functions)
}

/// The same with further imports.
pub fn guest_with(imports: &str, functions: &str) -> String {
    format!("(module {imports} {SERVICES} {COMMON} {functions})")
}

/// A host function `extism:host/user` `host`, of a key and with a value.
pub const HOST: &str =
    r#"(import "extism:host/user" "host" (func $host (param i64) (result i64)))"#;

pub const EXIT: &str = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;

pub const POLL: &str = r#"(import "wasi_snapshot_preview1" "poll_oneoff"
  (func $poll (param i32 i32 i32 i32) (result i32)))"#;

/// A function that sleeps for a minute.
pub const SLEEP: &str = r#"
  (memory (export "memory") 1)
  (func (export "sleep") (result i32)
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 60000000000))
    (call $poll (i32.const 0) (i32.const 104) (i32.const 1) (i32.const 300)))"#;

/// Counts its calls on this instance, in a global and in a memory.
pub const COUNT: &str = r#"
  (global $calls (mut i32) (i32.const 0))
  (memory $counted 1)
  (func (export "count") (result i32)
    (if (i32.ne (global.get $calls) (i32.load $counted (i32.const 512))) (then unreachable))
    (i32.store $counted (i32.const 512) (i32.add (global.get $calls) (i32.const 1)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.sub (global.get $calls) (i32.const 1)))"#;

/// One module, one instance, no limit that a test would meet without knowing.
pub fn source(wat: &str) -> PluginSource {
    modules(&[("main", wat)])
}

pub fn modules(modules: &[(&str, &str)]) -> PluginSource {
    let modules = modules.iter();
    let modules =
        modules.map(|(name, text)| (name.to_string(), ModuleBytes::new(text.as_bytes().to_vec())));
    PluginSource {
        modules: modules.collect(),
        functions: Vec::new(),
        http: [
            rust("http_request", &[I64, I64], &[I64], no_http),
            rust("http_status_code", &[], &[I32], no_http),
            rust("http_headers", &[], &[I64], no_http),
        ],
        logger: Arc::new(Silent),
        output: None,
        config: [("key".to_owned(), "value".to_owned())].into(),
        wasi: WasiOptions::default(),
        variables: Scope::Instance,
        limits: Limits {
            pages: 65_536,
            block_pages: None,
            table_elements: 1_000_000,
            output_bytes: u64::MAX,
            log_bytes: u64::MAX,
            var_bytes: 1 << 20,
            fuel: None,
        },
        stack_bytes: 1 << 20,
        codes_are_errors: true,
        cache: None,
        compile_limits: None,
        link: LinkOptions {
            wasi: true,
            ..LinkOptions::default()
        },
        options: Options {
            instances: 1,
            max_queue: 10_000,
            queue_timeout: None,
            timeout: None,
            off_thread: false,
            fresh: false,
        },
    }
}

/// A host function that the embedder answers.
pub fn embedded(name: &str) -> HostFunction {
    HostFunction {
        namespace: None,
        name: name.to_owned(),
        types: Some(Types::new(&[I64], &[I64])),
        body: Body::Embedder(Embedded {
            plugin: 0,
            number: 0,
        }),
    }
}

type Job = fn(&mut Caller<'_>, &[Val], &mut [Val]) -> Result<(), Failure>;

struct Function(Job);

impl RustFunction for Function {
    fn call(
        &self,
        caller: &mut Caller<'_>,
        inputs: &[Val],
        outputs: &mut [Val],
    ) -> Result<(), Failure> {
        (self.0)(caller, inputs, outputs)
    }
}

/// A host function in Rust.
pub fn rust(name: &str, params: &[ValType], results: &[ValType], job: Job) -> HostFunction {
    HostFunction {
        namespace: None,
        name: name.to_owned(),
        types: Some(Types::new(params, results)),
        body: Body::Rust(Arc::new(Function(job))),
    }
}

fn no_http(_: &mut Caller<'_>, _: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    Err(Failure::new(Code::HostFunction, "no HTTP in this test"))
}

struct Silent;

impl Logger for Silent {
    fn level(&self) -> Level {
        Level::Silent
    }

    fn log(&self, _: &CallState, _: Level, _: &str) -> Passed {
        Passed::On
    }
}

/// Keeps what it is given.
#[derive(Default)]
pub struct Kept(pub Mutex<Vec<(Level, String)>>);

impl Logger for Kept {
    fn level(&self) -> Level {
        Level::Trace
    }

    fn log(&self, _: &CallState, level: Level, message: &str) -> Passed {
        self.0.lock().unwrap().push((level, message.to_owned()));
        Passed::On
    }
}
