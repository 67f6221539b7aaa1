//! Calls that are cancelled, or whose time is up, wherever they are.

use std::time::{Duration, Instant};

use extism_host::error::{Code, Failure};
use extism_host::host_call::Request;

use crate::common::source::{COUNT, HOST, POLL, SLEEP, embedded, guest_with, source};
use crate::common::{Plugin, gives, next_id};

const TIMEOUT: Duration = Duration::from_millis(100);

fn stoppable() -> Plugin {
    let functions =
        format!(r#"{SLEEP} {COUNT} (func (export "wait") (drop (call $host (i64.const 0))))"#);
    let mut source = source(&guest_with(&format!("{HOST} {POLL}"), &functions));
    source.functions = vec![embedded("host")];
    Plugin::open(source)
}

#[test]
fn a_timeout_ends_a_loop_a_host_function_and_a_sleep() {
    let mut plugin = stoppable();
    for function in ["spin", "wait", "sleep"] {
        assert_eq!(plugin.number("count"), 0, "{function}");
        assert_eq!(plugin.number("count"), 1, "{function}");
        let begun = Instant::now();
        let id = plugin.submit_timed(function, TIMEOUT);
        let failure = plugin.wait(id).unwrap_err();
        assert_eq!(failure.code, Code::Timeout, "{function}: {failure}");
        assert_eq!(
            failure.message,
            "the call took longer than its timeout of 100 ms"
        );
        assert_eq!(failure.function.as_deref(), Some(function));
        assert!(begun.elapsed() >= TIMEOUT, "{function}");
    }
    assert_eq!(plugin.number("count"), 0);
    assert_eq!(plugin.pool.report().replaced, 3);
}

#[test]
fn a_timeout_counts_from_when_a_call_runs() {
    let mut plugin = stoppable();
    let first = plugin.submit_timed("spin", TIMEOUT * 2);
    let second = plugin.submit_with("echo", b"", |call| call.timeout = Some(TIMEOUT));
    assert_eq!(plugin.wait(first).unwrap_err().code, Code::Timeout);
    assert_eq!(plugin.wait(second).unwrap(), Some(Vec::new()));
}

#[test]
fn a_call_that_ends_in_time_has_no_timeout_later() {
    let mut plugin = stoppable();
    let quick = plugin.submit_timed("echo", Duration::from_millis(30));
    plugin.wait(quick).unwrap();
    // The same instance.
    let waiting = plugin.submit("wait", b"");
    let host_call = plugin.host.host_call();
    plugin.host.run_for(Duration::from_millis(60));
    assert!(host_call.finish(gives(0).unwrap()));
    assert_eq!(plugin.wait(waiting).unwrap(), None);
}

#[test]
fn cancel_ends_what_runs_and_what_waits() {
    let mut plugin = stoppable();
    for function in ["spin", "wait", "sleep"] {
        let running = plugin.submit(function, b"");
        let waiting = plugin.submit("echo", b"");
        let next = plugin.submit("echo", b"next");
        plugin.until_active(1);
        plugin.host.run_for(Duration::from_millis(5));
        assert!(plugin.pool.cancel(waiting));
        assert!(!plugin.pool.cancel(waiting));
        assert_eq!(plugin.wait(waiting).unwrap_err().code, Code::Cancelled);
        assert!(plugin.pool.cancel(running));
        assert_eq!(
            plugin.wait(running).unwrap_err().code,
            Code::Cancelled,
            "{function}"
        );
        assert_eq!(plugin.wait(next).unwrap().unwrap(), b"next");
    }
    assert!(!plugin.pool.cancel(next_id()));
}

#[test]
fn cancel_running_takes_the_call_that_runs_then_the_one_that_is_next() {
    let mut plugin = stoppable();
    assert!(!plugin.pool.cancel_running());
    let calls = [plugin.submit("spin", b""), plugin.submit("echo", b"next")];
    plugin.until_active(1);
    assert!(plugin.pool.cancel_running());
    assert_eq!(plugin.wait(calls[0]).unwrap_err().code, Code::Cancelled);
    assert_eq!(plugin.wait(calls[1]).unwrap().unwrap(), b"next");
    let unstarted = plugin.submit("echo", b"");
    assert!(plugin.pool.cancel_running());
    assert_eq!(plugin.wait(unstarted).unwrap_err().code, Code::Cancelled);
}

#[test]
fn the_first_reason_to_stop_a_call_is_what_it_fails_with() {
    let mut plugin = stoppable();
    let id = plugin.submit("wait", b"");
    let _host_call = plugin.host.host_call();
    assert!(
        plugin
            .pool
            .stop(id, Failure::new(Code::HostFunction, "first"))
    );
    assert!(!plugin.pool.cancel(id));
    let failure = plugin.wait(id).unwrap_err();
    assert_eq!(
        (failure.code, &*failure.message),
        (Code::HostFunction, "first")
    );
}

#[test]
fn a_host_function_whose_call_was_stopped_asks_and_answers_nobody() {
    let mut plugin = stoppable();
    let id = plugin.submit_timed("wait", TIMEOUT);
    let host_call = plugin.host.host_call();
    assert!(!host_call.is_over());
    assert_eq!(plugin.wait(id).unwrap_err().code, Code::Timeout);
    assert!(host_call.is_over());
    let asked = host_call.ask(Request::Alloc(8));
    assert_eq!(asked.map(drop).unwrap_err().code, Code::Stale);
    assert!(!host_call.finish(gives(0).unwrap()));
    let number = host_call.id;
    plugin.host.until("the host call is forgotten", |host| {
        host.forgotten.contains(&number)
    });
    assert_eq!(plugin.output("echo", b"on"), b"on");
}

#[test]
fn a_stop_hits_the_call_it_is_meant_for() {
    let mut plugin = stoppable();
    for _ in 0..50 {
        let spinning = plugin.submit("spin", b"");
        let next = plugin.submit("echo", b"next");
        plugin.until_active(1);
        assert!(plugin.pool.cancel(spinning));
        assert_eq!(plugin.wait(spinning).unwrap_err().code, Code::Cancelled);
        assert_eq!(plugin.wait(next).unwrap().unwrap(), b"next");
    }
}
