//! Blocks over a long call: what is used again, and what stays.

use extism_host::error::Code;
use extism_host::pool::PluginSource;

use crate::common::Plugin;
use crate::common::source::{SERVICES, guest, source};

/// A key of eight bytes goes to the host, a million times.
fn repeated(each: &str) -> PluginSource {
    let text = format!(
        r#"(func (export "go") (local $i i32) (local $p i64)
          (loop $l
            (local.set $p (call $alloc (i64.const 8)))
            (call $store_u64 (local.get $p) (i64.const 0x6e6e6e6e6e6e6e6e))
            {each}
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $i) (i32.const 1000000))))
          ;; Larger than what is there.
          (local.set $p (call $alloc (i64.const 100000)))
          (call $store_u8 (i64.add (local.get $p) (i64.const 99999)) (i32.const 1)))"#
    );
    let mut source = source(&guest(&text));
    source.limits.pages = 5;
    source
}

#[test]
fn a_million_keys_that_the_host_had_need_a_few_pages() {
    let mut plugin = Plugin::open(repeated("(drop (call $var_get (local.get $p)))"));
    assert_eq!(plugin.call("go", b"").unwrap(), None);
}

#[test]
fn a_million_keys_that_the_host_had_and_the_guest_frees_need_a_few_pages() {
    let each = "(drop (call $var_get (local.get $p))) (call $free (local.get $p))";
    let mut plugin = Plugin::open(repeated(each));
    assert_eq!(plugin.call("go", b"").unwrap(), None);
}

#[test]
fn a_million_blocks_that_the_guest_frees_need_a_few_pages() {
    let each = r#"(call $free (local.get $p)) (call $free (local.get $p))
      (call $free (i64.add (call $alloc (i64.const 24)) (i64.const 0)))"#;
    let mut plugin = Plugin::open(repeated(each));
    assert_eq!(plugin.call("go", b"").unwrap(), None);
}

#[test]
fn a_million_blocks_that_nobody_frees_reach_the_limit() {
    let mut plugin = Plugin::open(repeated(""));
    assert_eq!(plugin.code("go"), Code::OutOfMemory);
    assert_eq!(plugin.output("echo", b"on"), b"on");
}

/// Hands a block over, looks at it, needs memory, looks again.
const HANDED_OVER: &str = r#"
  (func (export "go") (result i32) (local $p i64) (local $after i32)
    (local.set $p (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $p) (i64.const 0x6b6b6b6b6b6b6b6b))
    (drop (call $var_get (local.get $p)))
    (drop (call $config_get (local.get $p)))
    (call $log_info (local.get $p))
    (if (i64.ne (call $length (local.get $p)) (i64.const 8)) (then (return (i32.const 10))))
    (if (i64.ne (call $load_u64 (local.get $p)) (i64.const 0x6b6b6b6b6b6b6b6b)) (then (return (i32.const 11))))
    (drop (call $alloc (i64.const 1000000)))
    (i32.wrap_i64 (call $length (local.get $p))))"#;

#[test]
fn blocks_handed_over_stay_until_their_memory_is_needed() {
    let mut plugin = Plugin::open(source(&guest(HANDED_OVER)));
    assert_eq!(plugin.number("go"), 0);
}

#[test]
fn guests_of_the_abi_of_2023_keep_the_blocks_they_hand_over() {
    let services = SERVICES.replace(r#""extism:host/env" ""#, r#""env" "extism_"#);
    let mut plugin = Plugin::open(source(&format!("(module {services} {HANDED_OVER})")));
    assert_eq!(plugin.number("go"), 8);
}

#[test]
fn blocks_of_a_call_are_gone_in_the_next_one() {
    let mut plugin = Plugin::open(source(&guest(
        r#"(global $kept (mut i64) (i64.const 0))
        (func (export "make") (drop (call $alloc (i64.const 500)))
          (global.set $kept (call $alloc (i64.const 500))))
        (func (export "length") (result i32) (i32.wrap_i64 (call $length (global.get $kept))))
        (func (export "store") (call $store_u8 (global.get $kept) (i32.const 1)))"#,
    )));
    plugin.call("make", b"").unwrap();
    assert_eq!(plugin.number("length"), 0);
    assert_eq!(plugin.code("store"), Code::Memory);
}

#[test]
fn blocks_may_have_so_many_pages_and_a_guest_sees_0_beyond() {
    let mut source = source(&guest(
        r#"(func (export "fits") (result i32) (i64.eqz (call $alloc (i64.const 131072))))
        (func (export "exceeds") (result i32) (i64.eqz (call $alloc (i64.const 131073))))
        (func (export "twice") (result i32) (local $p i64)
          (local.set $p (call $alloc (i64.const 100000)))
          (if (i64.ne (call $alloc (i64.const 100000)) (i64.const 0)) (then (return (i32.const 2))))
          (call $free (local.get $p))
          (i64.eqz (call $alloc (i64.const 100000))))"#,
    ));
    source.limits.block_pages = Some(2);
    let mut plugin = Plugin::open(source);
    assert_eq!(plugin.number("fits"), 0);
    assert_eq!(plugin.number("exceeds"), 1);
    assert_eq!(plugin.number("twice"), 0);
    // An input is a block, too.
    let input = vec![0; 40_000];
    assert_eq!(plugin.call("fits", &input).unwrap_err().exit_code, Some(1));
    let failure = plugin.call("echo", &vec![0; 131_073]).unwrap_err();
    assert_eq!(failure.code, Code::OutOfMemory);
    assert_eq!(plugin.output("echo", &vec![7; 131_072]), vec![7; 131_072]);
}

#[test]
fn blocks_are_found_in_any_order_of_allocation() {
    // Every other block is freed and used for a shorter one; then each is written to its end.
    let mut plugin = Plugin::open(source(&guest(
        r#"(memory 1)
        (func $block (param $i i32) (result i64) (i64.load (i32.shl (local.get $i) (i32.const 3))))
        (func $make (param $i i32) (param $n i64) (i64.store (i32.shl (local.get $i) (i32.const 3)) (call $alloc (local.get $n))))
        (func $fill (param $i i32) (param $n i64) (local $p i64)
          (local.set $p (call $block (local.get $i)))
          (if (i64.ne (call $length_unsafe (local.get $p)) (local.get $n)) (then unreachable))
          (loop $l
            (local.set $n (i64.sub (local.get $n) (i64.const 1)))
            (call $store_u8 (i64.add (local.get $p) (local.get $n)) (local.get $i))
            (br_if $l (i64.ne (local.get $n) (i64.const 0)))))
        (func $check (param $i i32) (param $n i64) (local $p i64)
          (local.set $p (call $block (local.get $i)))
          (loop $l
            (local.set $n (i64.sub (local.get $n) (i64.const 1)))
            (if (i32.ne (call $load_u8 (i64.add (local.get $p) (local.get $n))) (i32.and (local.get $i) (i32.const 255))) (then unreachable))
            (br_if $l (i64.ne (local.get $n) (i64.const 0)))))
        (func (export "shuffle") (local $i i32)
          (loop $l (call $make (local.get $i) (i64.const 1000))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 60))))
          (local.set $i (i32.const 0))
          (loop $l (call $free (call $block (local.get $i)))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 2))) (i32.const 60))))
          (local.set $i (i32.const 0))
          (loop $l (call $make (local.get $i) (i64.const 600)) (call $make (i32.add (local.get $i) (i32.const 100)) (i64.const 100))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 2))) (i32.const 60))))
          (local.set $i (i32.const 0))
          (loop $l
            (call $fill (local.get $i) (i64.const 600))
            (call $fill (i32.add (local.get $i) (i32.const 1)) (i64.const 1000))
            (call $fill (i32.add (local.get $i) (i32.const 100)) (i64.const 100))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 2))) (i32.const 60))))
          (local.set $i (i32.const 0))
          (loop $l
            (call $check (local.get $i) (i64.const 600))
            (call $check (i32.add (local.get $i) (i32.const 1)) (i64.const 1000))
            (call $check (i32.add (local.get $i) (i32.const 100)) (i64.const 100))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 2))) (i32.const 60)))))"#,
    )));
    for _ in 0..3 {
        assert_eq!(plugin.call("shuffle", b"").unwrap(), None);
    }
}
