//! The end of a plugin: what was accepted, what comes later, and what is left.

use std::sync::Weak;
use std::thread;
use std::time::{Duration, Instant};

use extism_host::error::Code;
use extism_host::pool::Pool;

use crate::common::source::{HOST, POLL, SLEEP, embedded, guest_with, source};
use crate::common::{Plugin, gives, next_id};

fn plugin(instances: usize) -> Plugin {
    let functions = format!(r#"{SLEEP} (func (export "wait") (drop (call $host (i64.const 0))))"#);
    let mut source = source(&guest_with(&format!("{HOST} {POLL}"), &functions));
    source.functions = vec![embedded("host")];
    source.options.instances = instances;
    Plugin::open(source)
}

#[test]
fn close_finishes_what_runs_and_what_waits_and_refuses_the_rest() {
    let mut plugin = plugin(2);
    let waits = plugin.submit("wait", b"");
    let host_call = plugin.host.host_call();
    let echoes: Vec<_> = (0..20u8).map(|i| plugin.submit("echo", &[i])).collect();
    let closes = [next_id(), next_id()];
    plugin.pool.close(&plugin.host.queue, closes[0]);
    let refused = plugin.submit("echo", b"");
    assert_eq!(plugin.wait(refused).unwrap_err().code, Code::Closed);
    for (i, id) in echoes.into_iter().enumerate() {
        assert_eq!(plugin.wait(id).unwrap().unwrap(), [i as u8]);
    }
    plugin.pool.close(&plugin.host.queue, closes[1]);
    plugin.host.run_for(Duration::from_millis(10));
    assert!(
        closes
            .iter()
            .all(|id| !plugin.host.settled.contains_key(id))
    );
    assert!(host_call.finish(gives(0).unwrap()));
    assert_eq!(plugin.wait(waits).unwrap(), None);
    for id in closes {
        assert_eq!(plugin.wait(id).unwrap(), None);
    }
    assert_eq!(plugin.pool.report().instances, 0);
    plugin.close();
    let sync = plugin.pool.start_sync(plugin.make("echo", b""));
    assert_eq!(sync.map(drop).unwrap_err().code, Code::Closed);
}

#[test]
fn a_close_is_over_when_the_last_waiting_call_is_cancelled() {
    let mut plugin = plugin(1);
    let call = plugin.submit("echo", b"");
    let close = next_id();
    plugin.pool.close(&plugin.host.queue, close);
    assert!(plugin.pool.cancel(call));
    assert_eq!(plugin.wait(call).unwrap_err().code, Code::Cancelled);
    assert_eq!(plugin.wait(close).unwrap(), None);
}

#[test]
fn a_close_is_over_when_everything_is_aborted() {
    let mut plugin = plugin(1);
    let call = plugin.submit("echo", b"");
    let close = next_id();
    plugin.pool.close(&plugin.host.queue, close);
    plugin.pool.abort();
    assert_eq!(plugin.wait(call).unwrap_err().code, Code::Closed);
    assert_eq!(plugin.wait(close).unwrap(), None);
}

#[test]
fn a_close_is_over_when_the_last_call_has_waited_too_long() {
    let mut source = source(&guest_with("", ""));
    source.options.queue_timeout = Some(Duration::from_millis(20));
    let mut plugin = Plugin::open(source);
    let call = plugin.submit("echo", b"");
    let close = next_id();
    plugin.pool.close(&plugin.host.queue, close);
    // The thread is busy with something else meanwhile.
    let begun = Instant::now();
    let pool = plugin.pool.clone();
    while pool.report().queued > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::yield_now();
    }
    assert_eq!(plugin.wait(call).unwrap_err().code, Code::QueueTimeout);
    assert_eq!(plugin.wait(close).unwrap(), None);
}

#[test]
fn abort_fails_what_runs_and_what_waits() {
    for function in ["spin", "wait", "sleep"] {
        let mut plugin = plugin(2);
        let ids: Vec<_> = (0..6).map(|_| plugin.submit(function, b"")).collect();
        plugin.until_active(2);
        plugin.host.run_for(Duration::from_millis(5));
        plugin.pool.abort();
        for id in ids {
            assert_eq!(
                plugin.wait(id).unwrap_err().code,
                Code::Closed,
                "{function}"
            );
        }
        plugin.close();
        let report = plugin.pool.report();
        assert_eq!((report.active, report.queued, report.instances), (0, 0, 0));
    }
}

/// Everything of a plugin whose thread has ended is gone in the end, the plugin itself included.
fn until_gone(pool: Weak<Pool>) {
    let begun = Instant::now();
    while pool.strong_count() > 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "something holds the plugin"
        );
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn nothing_is_left_of_the_calls_of_a_thread_that_has_ended() {
    for function in ["spin", "wait", "sleep", "echo"] {
        let thread = thread::spawn(move || {
            let mut plugin = plugin(2);
            for _ in 0..6 {
                plugin.submit(function, b"");
            }
            if function != "echo" {
                plugin.until_active(2);
            }
            plugin.host.queue.close();
            plugin.pool.abort();
            plugin.pool.downgrade()
        });
        until_gone(thread.join().unwrap());
    }
}

#[test]
fn a_plugin_that_nobody_has_is_gone_although_nobody_closed_it() {
    let mut plugin = plugin(1);
    plugin.call("echo", b"").unwrap();
    let pool = plugin.pool.downgrade();
    plugin.pool.forget();
    let refused = plugin.submit("echo", b"");
    assert_eq!(plugin.wait(refused).unwrap_err().code, Code::Closed);
    drop(plugin);
    until_gone(pool);
}
