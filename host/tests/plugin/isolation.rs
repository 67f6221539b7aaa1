//! What happens to one call happens to no other.

use std::time::Duration;

use extism_host::error::Code;

use crate::common::source::{guest, source};
use crate::common::{Embedder, Plugin};

/// Some 300 ms of honest work.
const WORK: &str = r#"
  (func (export "work") (local $i i64) (local $x i64)
    (loop $l
      (local.set $x (i64.rotl (i64.add (local.get $x) (local.get $i)) (i64.const 7)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $l (i64.lt_u (local.get $i) (i64.const 150000000))))
    (if (i64.eqz (local.get $x)) (then unreachable))
    (call $output_set (call $input_offset) (call $input_length)))"#;

#[test]
fn a_timeout_stops_one_of_eight_instances_and_no_other() {
    let mut source = source(&guest(WORK));
    source.options.instances = 8;
    let mut plugin = Plugin::open(source);
    for round in 0..3u8 {
        let endless = plugin.submit_timed("spin", Duration::from_millis(100));
        let honest: Vec<_> = (0..7u8)
            .map(|i| {
                plugin.submit_with("work", &[round, i], |call| {
                    // Some have a timeout that is far away, others have none.
                    call.timeout = (i % 2 == 0).then_some(Duration::from_secs(100));
                })
            })
            .collect();
        assert_eq!(plugin.wait(endless).unwrap_err().code, Code::Timeout);
        for (i, id) in honest.into_iter().enumerate() {
            assert_eq!(plugin.wait(id).unwrap().unwrap(), [round, i as u8]);
        }
        assert_eq!(plugin.pool.report().replaced, u64::from(round) + 1);
    }
}

#[test]
fn a_cancel_or_a_timeout_of_one_plugin_is_nothing_to_another() {
    let host = Embedder::new();
    let open = |wat: &str| {
        let opening = extism_host::pool::Pool::open(source(wat), host.queue.clone()).unwrap();
        opening.compile().unwrap()
    };
    let (bad, good) = (open(&guest("")), open(&guest(WORK)));
    let mut good = Plugin::of(good, host);
    let spin = bad
        .linked
        .entry_points
        .iter()
        .position(|entry| entry.name == "spin");
    for round in 0..3u8 {
        let working = good.submit("work", &[round]);
        let mut ids = Vec::new();
        for timeout in [None, Some(Duration::from_millis(30))] {
            let mut call = good.make("spin", b"");
            (call.function, call.timeout) = (spin, timeout);
            ids.push(call.id);
            bad.submit(call);
        }
        let first = ids[0];
        let pool = bad.clone();
        good.host.until("both run", |_| pool.report().active == 1);
        assert!(bad.cancel(first));
        assert_eq!(good.wait(ids[0]).unwrap_err().code, Code::Cancelled);
        assert_eq!(good.wait(ids[1]).unwrap_err().code, Code::Timeout);
        assert_eq!(good.wait(working).unwrap().unwrap(), [round]);
    }
    assert_eq!(good.pool.report().replaced, 0);
}
