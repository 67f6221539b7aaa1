//! Which calls run where.

use std::thread;
use std::time::{Duration, Instant};

use crate::common::source::{HOST, embedded, guest_with, source};
use crate::common::{Plugin, gives};

/// Some 20 ms of work, with a host call in the end if there is an input.
const WORK: &str = r#"
  (func (export "work") (local $i i64)
    (loop $l
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $l (i64.lt_u (local.get $i) (i64.const 20000000))))
    (if (i64.ne (call $input_length) (i64.const 0))
      (then (call $give (call $host (call $input_offset))))))
  (func (export "ask") (call $give (call $host (call $input_offset))))"#;

fn plugin(off_thread: bool) -> Plugin {
    let mut source = source(&guest_with(HOST, WORK));
    source.functions = vec![embedded("host")];
    source.options.off_thread = off_thread;
    let mut plugin = Plugin::open(source);
    // The first calls may run on a worker, for nobody knows how long an instance takes to make.
    for _ in 0..6 {
        plugin.output("echo", b"x");
    }
    plugin
}

#[test]
fn a_long_call_moves_to_a_worker_and_short_ones_do_not() {
    let mut plugin = plugin(false);
    let before = plugin.pool.report().moved;
    plugin.call("work", b"").unwrap();
    let after = plugin.pool.report().moved;
    assert_eq!(after, before + 1);
    for _ in 0..100 {
        plugin.output("echo", b"x");
    }
    // A machine under load makes a short call a long one now and then.
    let moved = plugin.pool.report().moved - after;
    assert!(moved < 50, "{moved} of 100 short calls moved");
}

#[test]
fn a_function_that_was_long_starts_on_a_worker() {
    let mut plugin = plugin(false);
    plugin.call("work", b"").unwrap();
    let id = plugin.submit("work", b"");
    let before = plugin.pool.report().moved;
    // One turn does no more than hand the call over.
    let begun = Instant::now();
    while plugin.pool.report().queued > 0 {
        plugin.host.turn();
    }
    let held = begun.elapsed();
    // No turn from here on: nobody but a worker can run it.
    let pool = plugin.pool.clone();
    while pool.report().active > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(plugin.pool.report().moved, before + 1);
    assert_eq!(plugin.wait(id).unwrap(), None);
    assert!(held < Duration::from_secs(1), "{held:?}");
}

#[test]
fn the_thread_is_held_no_longer_than_a_turn_by_an_endless_loop() {
    let mut plugin = plugin(false);
    let id = plugin.submit("spin", b"");
    let turns: Vec<_> = (0..50)
        .map(|_| {
            let begun = Instant::now();
            plugin.host.turn();
            begun.elapsed()
        })
        .collect();
    let longest = turns.into_iter().max().unwrap();
    assert!(longest < Duration::from_millis(200), "{longest:?}");
    assert!(plugin.pool.cancel(id));
    plugin.wait(id).unwrap_err();
}

#[test]
fn a_call_on_a_worker_comes_home_for_its_host_functions() {
    for off_thread in [false, true] {
        let mut plugin = plugin(off_thread);
        for _ in 0..3 {
            let before = plugin.pool.report().moved;
            let id = plugin.submit("work", b"key");
            let host_call = plugin.host.host_call();
            assert_eq!(host_call.blocks[0].as_deref(), Some(&b"key"[..]));
            assert!(!host_call.call.place.is_on_worker());
            let offset = host_call.inputs[0].unwrap_i64();
            assert!(host_call.finish(gives(offset).unwrap()));
            assert_eq!(plugin.wait(id).unwrap().unwrap(), b"key");
            assert_eq!(plugin.pool.report().moved, before + 1);
        }
    }
}

#[test]
fn a_plugin_off_the_thread_runs_nothing_on_it() {
    let mut plugin = plugin(true);
    let before = plugin.pool.report();
    assert_eq!(before.moved, before.calls);
    plugin.host.answer = Box::new(|call| gives(call.inputs[0].unwrap_i64()));
    for _ in 0..20 {
        assert_eq!(plugin.output("ask", b"x"), b"x");
    }
    let after = plugin.pool.report();
    assert_eq!(after.moved, after.calls);
}

#[test]
fn a_call_that_its_thread_waits_for_stays_on_it() {
    let mut plugin = plugin(false);
    let call = plugin.make("work", b"");
    let id = call.id;
    let before = plugin.pool.report().moved;
    plugin.pool.start_sync(call).unwrap().schedule();
    assert_eq!(plugin.wait(id).unwrap(), None);
    assert_eq!(plugin.pool.report().moved, before);
}

#[test]
fn more_endless_loops_than_workers_leave_time_for_others() {
    let mut source = source(&guest_with(HOST, WORK));
    source.functions = vec![embedded("host")];
    source.options.instances = 9;
    let mut plugin = Plugin::open(source);
    let loops: Vec<_> = (0..8).map(|_| plugin.submit("spin", b"")).collect();
    plugin.until_active(8);
    for _ in 0..3 {
        assert_eq!(plugin.call("work", b"").unwrap(), None);
    }
    for id in loops {
        assert!(plugin.pool.cancel(id));
        plugin.wait(id).unwrap_err();
    }
}
