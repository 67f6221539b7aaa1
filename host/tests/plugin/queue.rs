//! Which calls get in, and in which order they run.

use std::time::Duration;

use extism_host::error::Code;

use crate::common::source::{HOST, embedded, guest, guest_with, source};
use crate::common::{Plugin, gives};

fn waiting_guest(instances: usize) -> Plugin {
    let mut source = source(&guest_with(
        HOST,
        r#"(func (export "wait") (drop (call $host (i64.const 0))))"#,
    ));
    source.functions = vec![embedded("host")];
    source.options.instances = instances;
    Plugin::open(source)
}

#[test]
fn one_instance_runs_calls_in_the_order_they_came() {
    let mut plugin = Plugin::open(source(&guest("")));
    let ids: Vec<_> = (0..100u8).map(|i| plugin.submit("echo", &[i])).collect();
    for (i, id) in ids.iter().enumerate() {
        assert_eq!(plugin.wait(*id).unwrap().unwrap(), [i as u8]);
    }
    assert_eq!(plugin.host.order, ids);
    assert_eq!(plugin.pool.report().instances, 1);
}

#[test]
fn a_submit_runs_nothing_before_the_next_turn() {
    let plugin = Plugin::open(source(&guest("")));
    plugin.submit("echo", b"");
    let report = plugin.pool.report();
    assert_eq!((report.queued, report.active, report.instances), (1, 0, 1));
}

#[test]
fn a_second_instance_serves_while_the_first_one_waits() {
    let mut plugin = waiting_guest(2);
    let first = plugin.submit("wait", b"");
    let waiting = plugin.host.host_call();
    assert_eq!(plugin.output("echo", b"beside"), b"beside");
    assert!(!plugin.host.settled.contains_key(&first));
    assert!(waiting.finish(gives(0).unwrap()));
    assert_eq!(plugin.wait(first).unwrap(), None);
    assert_eq!(plugin.pool.report().instances, 2);
}

#[test]
fn two_endless_loops_run_at_the_same_time_and_a_third_call_waits() {
    let mut source = source(&guest(""));
    source.options.instances = 2;
    let mut plugin = Plugin::open(source);
    let loops = [plugin.submit("spin", b""), plugin.submit("spin", b"")];
    let third = plugin.submit("echo", b"x");
    plugin.until_active(2);
    plugin.host.run_for(Duration::from_millis(20));
    assert_eq!(plugin.pool.report().queued, 1);
    for id in loops {
        assert!(plugin.pool.cancel(id));
        assert_eq!(plugin.wait(id).unwrap_err().code, Code::Cancelled);
    }
    assert_eq!(plugin.wait(third).unwrap().unwrap(), b"x");
}

#[test]
fn a_full_queue_refuses_and_serves_what_it_has() {
    let mut source = source(&guest(""));
    source.options.max_queue = 2;
    let mut plugin = Plugin::open(source);
    // One for the free instance, two that wait.
    let accepted: Vec<_> = (0..3).map(|_| plugin.submit("echo", b"in")).collect();
    let refused = plugin.submit("echo", b"");
    let failure = plugin.wait(refused).unwrap_err();
    assert_eq!(failure.code, Code::QueueFull);
    assert_eq!(
        failure.message,
        "the queue is full: 2 calls waiting (maxQueue)"
    );
    for id in accepted {
        assert_eq!(plugin.wait(id).unwrap().unwrap(), b"in");
    }
    assert_eq!(plugin.output("echo", b"again"), b"again");
    assert_eq!(plugin.pool.report().errors["ERR_EXTISM_QUEUE_FULL"], 1);
}

#[test]
fn a_call_that_waits_too_long_fails_and_the_running_one_goes_on() {
    let mut source = source(&guest(""));
    source.options.queue_timeout = Some(Duration::from_millis(50));
    let mut plugin = Plugin::open(source);
    let running = plugin.submit("spin", b"");
    plugin.until_active(1);
    let waiting = plugin.submit("echo", b"");
    assert_eq!(plugin.wait(waiting).unwrap_err().code, Code::QueueTimeout);
    assert_eq!(plugin.pool.report().active, 1);
    assert!(plugin.pool.cancel(running));
    assert_eq!(plugin.wait(running).unwrap_err().code, Code::Cancelled);
}

#[test]
fn a_nested_call_is_refused_where_no_instance_is_free() {
    let mut plugin = waiting_guest(1);
    let outer = plugin.submit("wait", b"");
    let waiting = plugin.host.host_call();
    let inner = plugin.submit_with("echo", b"", |call| call.nested = true);
    assert_eq!(plugin.wait(inner).unwrap_err().code, Code::Reentrant);
    assert!(waiting.finish(gives(0).unwrap()));
    assert_eq!(plugin.wait(outer).unwrap(), None);
}

#[test]
fn a_nested_call_runs_on_a_free_instance() {
    let mut plugin = waiting_guest(2);
    let outer = plugin.submit("wait", b"");
    let waiting = plugin.host.host_call();
    let inner = plugin.submit_with("echo", b"inner", |call| call.nested = true);
    assert_eq!(plugin.wait(inner).unwrap().unwrap(), b"inner");
    assert!(waiting.finish(gives(0).unwrap()));
    assert_eq!(plugin.wait(outer).unwrap(), None);
}

#[test]
fn a_host_function_waits_for_a_call_of_its_own_plugin() {
    let mut plugin = waiting_guest(2);
    let outer = plugin.submit("wait", b"");
    let waiting = plugin.host.host_call();
    // What is behind it waits for its turn.
    let behind = plugin.submit("echo", b"behind");
    assert!(plugin.pool.cancel(behind));
    let call = plugin.make("echo", b"inner");
    let inner = call.id;
    plugin.pool.start_sync(call).unwrap().schedule();
    assert_eq!(plugin.wait(inner).unwrap().unwrap(), b"inner");
    assert!(!plugin.host.settled.contains_key(&outer));
    assert!(waiting.finish(gives(0).unwrap()));
    assert_eq!(plugin.wait(outer).unwrap(), None);
}

#[test]
fn a_call_that_the_thread_waits_for_is_refused_while_another_one_runs() {
    let mut plugin = waiting_guest(1);
    let outer = plugin.submit("wait", b"");
    let waiting = plugin.host.host_call();
    let refused = plugin.pool.start_sync(plugin.make("echo", b""));
    assert_eq!(refused.map(drop).unwrap_err().code, Code::Busy);
    assert!(waiting.finish(gives(0).unwrap()));
    plugin.wait(outer).unwrap();
    let call = plugin.make("echo", b"now");
    let id = call.id;
    let moved = plugin.pool.report().moved;
    plugin.pool.start_sync(call).unwrap().schedule();
    assert_eq!(plugin.wait(id).unwrap().unwrap(), b"now");
    assert_eq!(plugin.pool.report().moved, moved);
}
