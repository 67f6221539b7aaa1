//! Linked commands: a fresh instance for each call of one of their functions.

use extism_host::error::Code;

use crate::common::Plugin;
use crate::common::source::modules;

/// Counts its calls, each of which is the first.
const COMMAND: &str = r#"(module (memory 1) (table 10 funcref) (global $calls (mut i32) (i32.const 0))
  (func (export "_start"))
  (func (export "trap") unreachable)
  (func (export "count") (result i32)
    (if (i32.ne (i32.load (i32.const 0)) (global.get $calls)) (then unreachable))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store (i32.const 0) (global.get $calls))
    (global.get $calls)))"#;

const MAIN: &str = r#"(module
  (import "side" "count" (func $count (result i32)))
  (import "side" "trap" (func $trap))
  (func (export "count") (result i32) (call $count))
  (func (export "broken") (call $trap))
  (func (export "many") (local $i i32)
    (loop $l
      (drop (call $count))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 50))))))"#;

#[test]
fn an_instance_is_recycled_before_it_has_thousands_of_commands() {
    let mut plugin = Plugin::open(modules(&[("side", COMMAND), ("main", MAIN)]));
    for call in 0..1500 {
        assert_eq!(plugin.number("count"), 1, "call {call}");
    }
    assert_eq!(plugin.pool.report().replaced, 1);
}

#[test]
fn an_instance_is_recycled_before_its_commands_reach_its_limits() {
    for (pages, elements) in [(200, 1_000_000), (65_536, 2000)] {
        let mut source = modules(&[("side", COMMAND), ("main", MAIN)]);
        source.limits.pages = pages;
        source.limits.table_elements = elements;
        let mut plugin = Plugin::open(source);
        for call in 0..50 {
            let outcome = plugin.call("many", b"");
            assert_eq!(
                outcome.unwrap(),
                None,
                "call {call}, {pages} pages, {elements} elements"
            );
        }
    }
}

#[test]
fn a_command_that_traps_ends_the_call_and_its_instance() {
    let mut plugin = Plugin::open(modules(&[("side", COMMAND), ("main", MAIN)]));
    assert_eq!(plugin.number("count"), 1);
    assert_eq!(plugin.code("broken"), Code::Trap);
    assert_eq!(plugin.number("count"), 1);
    assert_eq!(plugin.pool.report().replaced, 1);
}
