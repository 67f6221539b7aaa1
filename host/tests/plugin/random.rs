//! Whatever comes in whatever order: each call ends once.

use std::time::Duration;

use extism_host::call::Outcome;
use extism_host::error::Code;

use crate::common::source::{HOST, POLL, SLEEP, embedded, guest_with, source};
use crate::common::{Plugin, Random, gives, next_id};

const OPERATIONS: u64 = 1500;

fn plugin(random: &mut Random) -> Plugin {
    let functions = format!(
        r#"{SLEEP} (func (export "wait") (drop (call $host (i64.const 0))))
        (func (export "work") (local $i i64)
          (loop $l
            (local.set $i (i64.add (local.get $i) (i64.const 1)))
            (br_if $l (i64.lt_u (local.get $i) (i64.const 2000000)))))"#
    );
    let mut source = source(&guest_with(&format!("{HOST} {POLL}"), &functions));
    source.functions = vec![embedded("host")];
    source.options.instances = 1 + random.below(4) as usize;
    source.options.max_queue = 20;
    source.options.off_thread = random.below(4) == 0;
    source.options.fresh = random.below(4) == 0;
    source.options.queue_timeout = (random.below(2) == 0).then_some(Duration::from_millis(20));
    Plugin::open(source)
}

/// Whether a function may end like this.
fn is_possible(function: &str, outcome: &Outcome) -> bool {
    let code = match outcome {
        Ok(output) => return output.is_some() == (function == "echo") && function != "spin",
        Err(failure) => failure.code,
    };
    match code {
        Code::Trap => function == "trap",
        Code::HostFunction => function == "wait",
        Code::Reentrant | Code::QueueFull | Code::QueueTimeout => true,
        Code::Cancelled | Code::Closed => true,
        Code::Timeout => true,
        _ => false,
    }
}

fn run(seed: u64) {
    let mut random = Random(seed);
    let mut plugin = plugin(&mut random);
    let mut calls = Vec::new();
    for _ in 0..OPERATIONS {
        match random.below(10) {
            0..=4 => {
                let functions = ["echo", "echo", "work", "trap", "spin", "wait", "sleep"];
                let function = functions[random.below(7) as usize];
                let endless = ["spin", "wait", "sleep"].contains(&function);
                let id = plugin.submit_with(function, b"in", |call| {
                    let timeout = Duration::from_micros(random.below(5000));
                    call.timeout = (endless || random.below(4) == 0).then_some(timeout);
                    call.nested = random.below(5) == 0;
                });
                calls.push((id, function));
            }
            5 if !calls.is_empty() => {
                // One of the last, which may be over by now.
                let back = random.below(calls.len().min(8) as u64) as usize;
                plugin.pool.cancel(calls[calls.len() - 1 - back].0);
            }
            6 => drop(plugin.pool.cancel_running()),
            7 if !plugin.host.waiting.is_empty() => {
                let which = random.below(plugin.host.waiting.len() as u64) as usize;
                plugin
                    .host
                    .waiting
                    .swap_remove(which)
                    .finish(gives(0).unwrap());
            }
            8 => plugin
                .host
                .run_for(Duration::from_micros(random.below(1500))),
            _ => drop(plugin.host.turn()),
        }
    }
    let close = next_id();
    plugin.pool.close(&plugin.host.queue, close);
    if random.below(2) == 0 {
        plugin.pool.abort();
    }
    assert_eq!(plugin.wait(close).unwrap(), None, "seed {seed}");
    for (id, function) in &calls {
        let outcome = plugin.wait(*id);
        assert!(
            is_possible(function, &outcome),
            "seed {seed}, {function}: {outcome:?}"
        );
    }
    assert!(
        plugin.host.settled.is_empty(),
        "seed {seed}: something else was settled"
    );
    let report = plugin.pool.report();
    assert_eq!(report.calls, calls.len() as u64, "seed {seed}");
    assert_eq!(
        (report.active, report.queued, report.instances),
        (0, 0, 0),
        "seed {seed}"
    );
    assert!(
        plugin.host.waiting.iter().all(|call| call.is_over()),
        "seed {seed}"
    );
}

#[test]
fn every_call_settles_exactly_once_whatever_happens() {
    for seed in 1..=8 {
        run(seed);
    }
}
