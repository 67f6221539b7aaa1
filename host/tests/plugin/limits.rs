//! How much of everything a guest may have.

use extism_host::error::Code;
use extism_host::pool::PluginSource;

use crate::common::Plugin;
use crate::common::source::{guest, source};

fn limited(functions: &str, change: impl FnOnce(&mut PluginSource)) -> Plugin {
    let mut source = source(&guest(functions));
    change(&mut source);
    Plugin::open(source)
}

const GROW: &str = r#"(func (export "grow") (result i32) (memory.grow (i32.const 1)))"#;

#[test]
fn memory_counts_from_its_initial_size_on() {
    // Two pages of the guest's, one of blocks, and one that is left.
    let mut plugin = limited(&format!("(memory 2) {GROW}"), |source| {
        source.limits.pages = 4
    });
    assert_eq!(plugin.number("grow"), 2);
    let failure = plugin.failure("grow");
    assert_eq!(failure.code, Code::OutOfMemory);
    assert_eq!(failure.message, "the plugin reached its memory limit");
    // A fresh instance has it again.
    assert_eq!(plugin.number("grow"), 2);
}

#[test]
fn blocks_and_memories_share_a_limit() {
    let functions = format!("(memory 2) (memory 3) {GROW}");
    let mut plugin = limited(&functions, |source| source.limits.pages = 7);
    assert_eq!(plugin.output("echo", &[1; 100_000]).len(), 100_000);
    assert_eq!(plugin.code("grow"), Code::OutOfMemory);
    assert_eq!(plugin.number("grow"), 2);
    let failure = plugin.call("echo", &[1; 100_000]).unwrap_err();
    assert_eq!(failure.code, Code::OutOfMemory);
    assert_eq!(plugin.output("echo", &[1; 60_000]).len(), 60_000);
}

#[test]
fn an_instance_that_starts_with_too_much_fails_its_call() {
    let mut source = source(&guest("(memory 5)"));
    source.limits.pages = 5;
    let refused = Plugin::try_open(source).map(drop).unwrap_err();
    assert_eq!(refused.code, Code::OutOfMemory);
    // What has start code is instantiated by its calls.
    let mut plugin = limited("(memory 5) (func $start) (start $start)", |source| {
        source.limits.pages = 5
    });
    for _ in 0..2 {
        assert_eq!(plugin.code("echo"), Code::OutOfMemory);
    }
    assert_eq!(plugin.pool.report().instances, 0);
}

#[test]
fn a_plugin_that_starts_with_too_much_is_refused() {
    let refused = |functions: &str| {
        let mut source = source(&guest(functions));
        source.link.max_pages = 10;
        source.link.max_table_elements = 10;
        Plugin::try_open(source)
            .map(drop)
            .map_err(|failure| failure.code)
    };
    assert_eq!(refused("(memory 10) (table 10 funcref)"), Ok(()));
    assert_eq!(refused("(memory 5) (memory 6)"), Err(Code::OutOfMemory));
    assert_eq!(
        refused("(table 5 funcref) (table 6 funcref)"),
        Err(Code::OutOfMemory)
    );
}

#[test]
fn a_memory_reaches_its_own_maximum_and_no_further() {
    let mut plugin = limited(&format!("(memory 1 2) {GROW}"), |source| {
        source.limits.pages = 3
    });
    assert_eq!(plugin.number("grow"), 1);
    assert_eq!(plugin.number("grow"), -1);
    assert_eq!(plugin.number("grow"), -1);
}

#[test]
fn tables_count_together() {
    let functions = r#"(table $a 10 funcref) (table $b 10 funcref)
      (func (export "grow") (result i32) (table.grow $a (ref.null func) (i32.const 10)))
      (func (export "more") (result i32) (table.grow $b (ref.null func) (i32.const 1)))
      (func (export "much") (result i32) (table.grow $b (ref.null func) (i32.const 0x7fffffff)))"#;
    let mut plugin = limited(functions, |source| source.limits.table_elements = 30);
    assert_eq!(plugin.number("much"), -1);
    assert_eq!(plugin.number("grow"), 10);
    assert_eq!(plugin.number("more"), -1);
}

#[test]
fn collected_objects_count_as_memory() {
    let functions = r#"(type $array (array (mut i64)))
      (func (export "array") (drop (array.new $array (i64.const 1) (i32.const 1000000))))
      (func (export "garbage") (local $i i32)
        (loop $l
          (drop (array.new $array (i64.const 1) (i32.const 10000)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $l (i32.lt_u (local.get $i) (i32.const 1000)))))"#;
    let mut plugin = limited(functions, |source| source.limits.pages = 40);
    assert_eq!(plugin.code("array"), Code::OutOfMemory);
    // 80 MB in all, one after the other.
    assert_eq!(plugin.call("garbage", b"").unwrap(), None);
}

#[test]
fn the_initial_value_of_a_global_counts_for_the_limit() {
    for length in [1_000_000, 1_000_000_000] {
        let functions = format!(
            r#"(type $array (array i64))
            (global (ref $array) (array.new_default $array (i32.const {length})))
            (func (export "run"))"#
        );
        let mut source = source(&guest(&functions));
        source.limits.pages = 40;
        let failure = Plugin::try_open(source).map(drop).unwrap_err();
        assert_eq!(failure.code, Code::OutOfMemory, "{failure}");
    }
}

#[test]
fn fuel_ends_a_call_and_the_next_one_has_it_again() {
    let functions = r#"(func (export "count") (param) (local $i i32)
      (loop $l
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $i) (i32.const 1000)))))"#;
    let mut plugin = limited(functions, |source| source.limits.fuel = Some(20_000));
    for _ in 0..3 {
        // Together they would be too much for one call.
        for _ in 0..5 {
            assert_eq!(plugin.call("count", b"").unwrap(), None);
        }
        let failure = plugin.failure("spin");
        assert_eq!(
            (failure.code, &*failure.message),
            (Code::Fuel, "the call used up its fuel")
        );
    }
}

#[test]
fn start_code_has_fuel_like_a_call_and_data_segments_cost_none() {
    let data = "x".repeat(1 << 20);
    let functions = format!(r#"(memory 17) (data (i32.const 0) "{data}")"#);
    let mut plugin = limited(&functions, |source| source.limits.fuel = Some(500));
    assert_eq!(plugin.output("echo", b"x"), b"x");
    let endless = "(func $start (loop $l (br $l))) (start $start)";
    let mut plugin = limited(endless, |source| source.limits.fuel = Some(500));
    for _ in 0..2 {
        assert_eq!(plugin.code("echo"), Code::Fuel);
    }
}

#[test]
fn start_code_and_the_call_it_runs_for_share_fuel() {
    let functions = r#"
      (func $count (local $i i32)
        (loop $l
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $l (i32.lt_u (local.get $i) (i32.const 1000)))))
      (start $count)
      (func (export "count") (call $count))
      (func (export "twice") (call $count) (call $count))"#;
    let enough_for_two = |source: &mut PluginSource| source.limits.fuel = Some(20_000);
    let mut plugin = limited(functions, enough_for_two);
    assert_eq!(plugin.code("twice"), Code::Fuel);
    assert_eq!(plugin.call("count", b"").unwrap(), None);
    // The instance is there by now.
    assert_eq!(plugin.call("twice", b"").unwrap(), None);
}

#[test]
fn an_output_may_have_so_many_bytes() {
    let mut plugin = limited("", |source| source.limits.output_bytes = 10);
    assert_eq!(plugin.output("echo", &[1; 10]), [1; 10]);
    let failure = plugin.call("echo", &[1; 11]).unwrap_err();
    assert_eq!(failure.code, Code::OutOfMemory);
    assert!(failure.message.contains("maxOutputBytes"), "{failure}");
    assert_eq!(plugin.output("echo", &[1; 10]), [1; 10]);
    assert_eq!(plugin.pool.report().replaced, 0);
}

#[test]
fn variables_may_have_so_many_bytes() {
    let functions = r#"
      (func (export "keep") (call $var_set (call $char (i32.const 97)) (call $input_offset)))
      (func (export "kept") (call $give (call $var_get (call $char (i32.const 97)))))"#;
    let mut plugin = limited(functions, |source| source.limits.var_bytes = 10);
    plugin.call("keep", b"0123456789").unwrap();
    let failure = plugin.call("keep", b"0123456789a").unwrap_err();
    assert_eq!(failure.code, Code::Guest);
    assert!(
        failure
            .message
            .starts_with("var memory limit exceeded: 11 bytes"),
        "{failure}"
    );
    assert_eq!(plugin.text("kept", ""), "0123456789");
}

#[test]
fn recursion_is_a_trap_on_every_stack_and_a_large_one_goes_deeper() {
    // A hundred thousand calls take 3 MiB at least.
    let functions = r#"
      (func $deep (param i64) (result i64)
        (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 0))
          (else (i64.add (i64.const 1) (call $deep (i64.sub (local.get 0) (i64.const 1)))))))
      (func (export "deep") (if (i64.ne (call $deep (i64.const 100000)) (i64.const 100000)) (then unreachable)))
      (func $endless (export "endless") (call $endless) (drop (call $length (i64.const 0))))
      (func $calling (export "calling") (drop (call $alloc (i64.const 1))) (call $calling) (drop (call $alloc (i64.const 1))))"#;
    for (stack, is_deep) in [(1 << 20, false), (16 << 20, true), (4 << 20, false)] {
        let mut plugin = limited(functions, |source| source.stack_bytes = stack);
        for function in ["endless", "calling", "endless"] {
            let failure = plugin.failure(function);
            assert_eq!(failure.code, Code::Trap, "{failure}");
            assert!(failure.message.contains("stack"), "{failure}");
            assert_eq!(plugin.output("echo", b"on"), b"on");
        }
        if stack != 4 << 20 {
            assert_eq!(plugin.call("deep", b"").is_ok(), is_deep, "{stack}");
        }
    }
}
