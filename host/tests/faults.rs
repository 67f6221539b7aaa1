//! Panics on purpose: each fails one operation with `Internal`, and nothing else.
#![cfg(feature = "faults")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at what it does not expect"
)]

mod common;

use std::sync::{Arc, Mutex, MutexGuard};

use common::source::{HOST, embedded, guest_with, source};
use common::{Plugin, gives};
use extism_host::built_in::{MemoryGet, Missing};
use extism_host::error::Code;
use extism_host::faults::arm;
use extism_host::host_call::Request;
use extism_host::host_function::{Body, HostFunction};
use extism_host::log::{Forwarder, Level, ToCaller};
use extism_host::pool::PluginSource;
use extism_host::store::Store;
use extism_host::threads::contain;

/// There is one armed point in the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn guest() -> PluginSource {
    let lookup =
        r#"(import "extism:host/user" "memory_get" (func $memory_get (param i64) (result i64)))"#;
    let functions = r#"
      (func (export "ask") (call $give (call $host (call $input_offset))))
      (func (export "look up") (call $give (call $memory_get (call $input_offset))))
      (func (export "log") (call $log_info (call $input_offset)))"#;
    let mut source = source(&guest_with(&format!("{HOST} {lookup}"), functions));
    let memory_get = MemoryGet {
        store: Arc::new(Store::new(Default::default())),
        missing: Missing::Empty,
    };
    let memory_get = HostFunction {
        name: "memory_get".to_owned(),
        body: Body::Rust(Arc::new(memory_get)),
        ..embedded("host")
    };
    source.functions = vec![embedded("host"), memory_get];
    source.logger = Arc::new(ToCaller(Forwarder::new(0, Level::Info)));
    source
}

/// A plugin whose host function gives back what it is given, by way of a question.
fn plugin() -> Plugin {
    let mut plugin = Plugin::open(guest());
    plugin.host.answer = Box::new(|call| {
        let offset = call.inputs[0].unwrap_i64();
        match call.ask(Request::Length(offset as u64)) {
            Ok(_) => gives(offset),
            Err(failure) => Some(extism_host::host_call::Return::Failed(failure)),
        }
    });
    plugin
}

#[test]
fn a_panic_fails_one_call_and_the_plugin_serves_on() {
    let _alone = alone();
    for (point, function) in [
        ("serve", "echo"),
        ("settle", "echo"),
        ("answer", "ask"),
        ("lookup", "look up"),
        ("log", "log"),
    ] {
        let mut plugin = plugin();
        for _ in 0..3 {
            plugin.call(function, b"in").unwrap();
            arm(point.to_owned());
            let failure = plugin.call(function, b"in").unwrap_err();
            assert_eq!(failure.code, Code::Internal, "{point}: {failure}");
            assert!(failure.message.contains("on purpose"), "{point}: {failure}");
            assert_eq!(plugin.output("echo", b"on"), b"on", "{point}");
        }
        let report = plugin.pool.report();
        assert_eq!((report.active, report.instances), (0, 1), "{point}");
        plugin.close();
    }
}

#[test]
fn a_panic_of_one_call_is_nothing_to_those_beside_it() {
    let _alone = alone();
    let mut source = guest();
    source.options.instances = 3;
    let mut plugin = Plugin::open(source);
    let beside = [plugin.submit("ask", b""), plugin.submit("ask", b"")];
    let calls = [plugin.host.host_call(), plugin.host.host_call()];
    arm("settle".to_owned());
    assert_eq!(plugin.code("echo"), Code::Internal);
    for call in calls {
        assert!(call.finish(gives(0).unwrap()));
    }
    for id in beside {
        plugin.wait(id).unwrap();
    }
}

#[test]
fn a_panic_while_a_plugin_is_made_is_a_failure() {
    let _alone = alone();
    for point in ["open", "compile"] {
        arm(point.to_owned());
        let made = contain(|| Plugin::try_open(guest()));
        let failure = made.map(drop).unwrap_err();
        assert_eq!(failure.code, Code::Internal, "{point}");
        assert!(failure.message.contains("on purpose"), "{point}: {failure}");
        assert_eq!(plugin().output("echo", b"on"), b"on");
    }
}

#[test]
fn calls_of_a_plugin_that_could_not_be_compiled_fail() {
    let _alone = alone();
    let host = common::Embedder::new();
    let opening = extism_host::pool::Pool::open(guest(), host.queue.clone()).unwrap();
    let mut plugin = Plugin::of(opening.pool.clone(), host);
    let early = plugin.submit("echo", b"");
    arm("compile".to_owned());
    assert_eq!(
        opening.compile().map(drop).unwrap_err().code,
        Code::Internal
    );
    assert_eq!(plugin.wait(early).unwrap_err().code, Code::Internal);
    assert_eq!(plugin.code("echo"), Code::Internal);
    plugin.close();
}
