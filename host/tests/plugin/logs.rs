//! What guests log and print.

use std::sync::Arc;

use extism_host::log::{Forwarder, Kind, Level, ToCaller};

use crate::common::Plugin;
use crate::common::source::{Kept, guest, guest_with, source};

const LOG: &str = r#"
  (func (export "log") (call $log_info (call $input_offset)))
  (func (export "level") (result i32) (call $get_log_level))
  ;; A thousand times the input.
  (func (export "flood") (local $i i32)
    (loop $l
      (call $log_info (call $input_offset))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3000)))))"#;

#[test]
fn messages_below_the_level_are_dropped() {
    let forwarder = Forwarder::new(0, Level::Info);
    let mut source = source(&guest(LOG));
    source.logger = Arc::new(ToCaller(forwarder.clone()));
    let mut plugin = Plugin::open(source);
    plugin.call("log", b"heard").unwrap();
    assert_eq!(
        plugin.host.messages,
        [(Kind::Log(Level::Info), "heard".to_owned())]
    );
    assert_eq!(plugin.number("level"), 2);
    forwarder.set_level(Level::Warn);
    plugin.call("log", b"unheard").unwrap();
    assert_eq!(plugin.host.messages.len(), 1);
}

#[test]
fn a_guest_that_logs_faster_than_anyone_reads_waits_and_loses_nothing() {
    let mut source = source(&guest(LOG));
    source.logger = Arc::new(ToCaller(Forwarder::new(0, Level::Info)));
    let mut plugin = Plugin::open(source);
    plugin.call("flood", &[b'x'; 1000]).unwrap();
    // The messages came before the call was settled.
    assert_eq!(plugin.host.messages.len(), 3000);
    assert!(
        plugin
            .host
            .messages
            .iter()
            .all(|(_, text)| text.len() == 1000)
    );
}

#[test]
fn a_call_may_log_so_many_bytes() {
    let kept = Arc::new(Kept::default());
    let mut source = source(&guest(LOG));
    source.logger = kept.clone();
    source.limits.log_bytes = 10;
    let mut plugin = Plugin::open(source);
    for _ in 0..2 {
        plugin.call("flood", b"four").unwrap();
        let messages = std::mem::take(&mut *kept.0.lock().unwrap());
        let texts: Vec<_> = messages.iter().map(|(_, text)| &**text).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert_eq!(texts[..2], ["four", "four"]);
        assert!(
            texts[2].contains("maxLogBytes") && messages[2].0 == Level::Warn,
            "{messages:?}"
        );
    }
}

#[test]
fn a_long_message_is_cut() {
    let kept = Arc::new(Kept::default());
    let mut source = source(&guest(LOG));
    source.logger = kept.clone();
    let mut plugin = Plugin::open(source);
    plugin.call("log", &vec![b'x'; 1 << 20]).unwrap();
    assert_eq!(kept.0.lock().unwrap()[0].1.len(), 64 << 10);
}

#[test]
fn a_block_that_may_not_be_had_is_told_in_the_log() {
    let kept = Arc::new(Kept::default());
    let mut source = source(&guest(
        r#"(func (export "huge") (drop (call $alloc (i64.const 1000000))))"#,
    ));
    source.logger = kept.clone();
    source.limits.block_pages = Some(1);
    Plugin::open(source).call("huge", b"").unwrap();
    let messages = kept.0.lock().unwrap();
    let expected = "memory limit exceeded: 16 pages requested, 1 allowed".to_owned();
    assert_eq!(*messages, [(Level::Error, expected)]);
}

const WRITE: &str = r#"(import "wasi_snapshot_preview1" "fd_write"
  (func $write (param i32 i32 i32 i32) (result i32)))"#;

#[test]
fn what_a_call_prints_takes_nothing_from_what_it_may_log() {
    let kept = Arc::new(Kept::default());
    let functions = r#"(memory (export "memory") 1) (data (i32.const 100) "printed")
      (func $print (result i32)
        (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 7))
        (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 48)))
      (func (export "both") (result i32)
        (call $log_info (call $input_offset))
        (drop (call $print))
        (if (i32.eqz (call $print)) (then unreachable))
        (call $log_info (call $input_offset))
        (i32.const 0))"#;
    let mut source = source(&guest_with(WRITE, functions));
    source.logger = kept.clone();
    source.output = Some(Forwarder::new(0, Level::Info));
    source.limits.log_bytes = 10;
    let mut plugin = Plugin::open(source);
    plugin.call("both", b"four").unwrap();
    let expected = [(Kind::Stdout, "printed".to_owned())];
    assert_eq!(plugin.host.messages, expected);
    let messages = kept.0.lock().unwrap();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages.iter().all(|(_, text)| text == "four"));
}

#[test]
fn what_a_guest_prints_comes_to_the_thread_that_called() {
    let functions = r#"(memory (export "memory") 1) (data (i32.const 100) "out" "error")
      (func (export "print") (result i32)
        (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 3))
        (i32.store (i32.const 8) (i32.const 103)) (i32.store (i32.const 12) (i32.const 5))
        (i32.or (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 48))
          (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 48))))"#;
    let mut source = source(&guest_with(WRITE, functions));
    source.output = Some(Forwarder::new(0, Level::Info));
    let mut plugin = Plugin::open(source);
    for _ in 0..2 {
        plugin.call("print", b"").unwrap();
        let expected = [
            (Kind::Stdout, "out".to_owned()),
            (Kind::Stderr, "error".to_owned()),
        ];
        assert_eq!(std::mem::take(&mut plugin.host.messages), expected);
    }
}
