//! Guests that give the host numbers which are no blocks of theirs, or store where they may not.

use extism_host::error::Code;

use crate::common::Plugin;
use crate::common::source::{guest, source};

/// Each of these ends the call that does it.
const ATTACKS: &str = r#"
  (func (export "header") (call $store_u8 (i64.sub (call $alloc (i64.const 8)) (i64.const 1)) (i32.const 1)))
  (func (export "header64") (call $store_u64 (i64.sub (call $alloc (i64.const 8)) (i64.const 8)) (i64.const -1)))
  (func (export "half header") (call $store_u64 (i64.sub (call $alloc (i64.const 8)) (i64.const 4)) (i64.const -1)))
  (func (export "end") (call $store_u8 (i64.add (call $alloc (i64.const 8)) (i64.const 8)) (i32.const 1)))
  (func (export "end64") (call $store_u64 (i64.add (call $alloc (i64.const 8)) (i64.const 1)) (i64.const -1)))
  (func (export "short64") (call $store_u64 (call $alloc (i64.const 7)) (i64.const -1)))
  (func (export "root") (call $store_u64 (i64.const 0) (i64.const -1)))
  (func (export "root8") (call $store_u8 (i64.const 63) (i32.const -1)))
  (func (export "beyond") (call $store_u8 (i64.const 60000) (i32.const 1)))
  (func (export "no page") (call $store_u8 (i64.const 0x10000) (i32.const 1)))
  (func (export "far") (call $store_u64 (i64.const -4) (i64.const -1)))
  (func (export "wraps") (call $store_u8 (i64.add (call $alloc (i64.const 8)) (i64.const 0x100000000)) (i32.const 1)))
  (func (export "freed") (local $p i64) (local.set $p (call $alloc (i64.const 8)))
    (call $free (local.get $p)) (call $store_u8 (local.get $p) (i32.const 1)))
  (func (export "freed before") (local $p i64) (local.set $p (call $alloc (i64.const 8)))
    (drop (call $alloc (i64.const 8)))
    (call $free (local.get $p)) (call $store_u8 (local.get $p) (i32.const 1)))
  ;; A shorter block where a longer one was.
  (func (export "shorter") (local $p i64)
    (call $free (call $alloc (i64.const 100)))
    (call $store_u8 (i64.add (call $alloc (i64.const 8)) (i64.const 50)) (i32.const 1)))
  (func (export "reclaimed") (local $p i64)
    (local.set $p (call $alloc (i64.const 100)))
    (drop (call $var_get (local.get $p)))
    (drop (call $alloc (i64.const 100000)))
    (call $store_u8 (i64.add (call $alloc (i64.const 70)) (i64.const 90)) (i32.const 1)))
  (func (export "output long") (call $output_set (call $alloc (i64.const 8)) (i64.const -1)))
  (func (export "output longer") (call $output_set (call $alloc (i64.const 8)) (i64.const 9)))
  (func (export "output nowhere") (call $output_set (i64.const 100000) (i64.const 1)))
  (func (export "output of all") (call $output_set (i64.const 0) (i64.const -1)))
  (func (export "output before") (call $output_set (i64.sub (call $alloc (i64.const 8)) (i64.const 1)) (i64.const 2)))
  (func (export "error inside") (call $error_set (i64.add (call $alloc (i64.const 8)) (i64.const 1))))
  (func (export "error nowhere") (call $error_set (i64.const -1)))
  (func (export "key nowhere") (drop (call $var_get (i64.const 0x7fffffffffff))))
  (func (export "config nowhere") (drop (call $config_get (i64.const 1))))
  (func (export "value nowhere") (call $var_set (call $char (i32.const 97)) (i64.const 1)))"#;

#[test]
fn a_number_that_is_no_block_ends_the_call_and_nothing_else() {
    let mut plugin = Plugin::open(source(&guest(ATTACKS)));
    let names: Vec<_> = plugin
        .pool
        .linked
        .entry_points
        .iter()
        .map(|entry| entry.name.clone())
        .collect();
    let attacks = names
        .iter()
        .filter(|name| !["echo", "spin", "trap"].contains(&&***name));
    for attack in attacks {
        assert_eq!(
            plugin.call(attack, b"in").map_err(|failure| failure.code),
            Err(Code::Memory),
            "{attack}"
        );
        assert_eq!(plugin.output("echo", b"still here"), b"still here");
    }
}

#[test]
fn neighbouring_blocks_have_their_own_bytes() {
    let mut plugin = Plugin::open(source(&guest(
        r#"(func (export "intact") (local $a i64) (local $b i64)
          (local.set $a (call $alloc (i64.const 8)))
          (local.set $b (call $alloc (i64.const 8)))
          (call $store_u64 (local.get $a) (i64.const 0x4141414141414141))
          (call $store_u64 (local.get $b) (i64.const 0x4242424242424242))
          ;; Loads may be anywhere.
          (drop (call $load_u64 (i64.sub (local.get $a) (i64.const 8))))
          (if (i64.ne (call $length (local.get $a)) (i64.const 8)) (then unreachable))
          (call $output_set (local.get $b) (i64.const 8)))"#,
    )));
    assert_eq!(plugin.text("intact", ""), "BBBBBBBB");
}

#[test]
fn loads_outside_of_the_memory_give_0() {
    let mut plugin = Plugin::open(source(&guest(
        r#"(func (export "loads") (result i32)
          (call $store_u64 (call $alloc (i64.const 8)) (i64.const -1))
          (if (call $load_u8 (i64.const 0x10000)) (then (return (i32.const 1))))
          (if (call $load_u8 (i64.const -1)) (then (return (i32.const 2))))
          (if (call $load_u8 (i64.const 0x100000040)) (then (return (i32.const 3))))
          (if (i64.ne (call $load_u64 (i64.const 0xfff9)) (i64.const 0)) (then (return (i32.const 4))))
          (if (i64.ne (call $load_u64 (i64.const -8)) (i64.const 0)) (then (return (i32.const 5))))
          (if (i64.ne (call $load_u64 (i64.const 0x100000040)) (i64.const 0)) (then (return (i32.const 6))))
          (drop (call $load_u64 (i64.const 0xfff8)))
          (drop (call $load_u8 (i64.const 0xffff)))
          (i32.const 0))
        (func (export "inputs") (result i32)
          (if (i32.ne (call $input_load_u8 (i64.const 8)) (i32.const 0x69)) (then (return (i32.const 1))))
          (if (call $input_load_u8 (i64.const 9)) (then (return (i32.const 2))))
          (if (call $input_load_u8 (i64.const -1)) (then (return (i32.const 3))))
          (if (i64.eqz (call $input_load_u64 (i64.const 1))) (then (return (i32.const 4))))
          (if (i64.ne (call $input_load_u64 (i64.const 2)) (i64.const 0)) (then (return (i32.const 5))))
          (if (i64.ne (call $input_load_u64 (i64.const -8)) (i64.const 0)) (then (return (i32.const 6))))
          (if (i64.ne (call $input_load_u64 (i64.const -1)) (i64.const 0)) (then (return (i32.const 7))))
          (i32.const 0))"#,
    )));
    assert_eq!(plugin.number("loads"), 0);
    let outcome = plugin.call("inputs", b"abcdefghi");
    assert_eq!(outcome.unwrap(), None);
}

#[test]
fn allocating_nothing_or_too_much_gives_0() {
    let mut plugin = Plugin::open(source(&guest(
        r#"(func (export "alloc") (result i32)
          (i64.ne (i64.const 0) (i64.or
            (i64.or (call $alloc (i64.const 0)) (call $alloc (i64.const -1)))
            (i64.or (call $alloc (i64.const 0x100000000)) (call $alloc (i64.const 0x8000000000000000))))))"#,
    )));
    assert_eq!(plugin.number("alloc"), 0);
}

#[test]
fn freeing_twice_or_what_is_no_block_is_nothing() {
    let mut plugin = Plugin::open(source(&guest(
        r#"(func (export "free") (local $a i64) (local $b i64) (local $c i64)
          (local.set $a (call $alloc (i64.const 100)))
          (local.set $b (call $alloc (i64.const 100)))
          (call $free (local.get $a))
          (call $free (local.get $a))
          (call $free (i64.add (local.get $b) (i64.const 1)))
          (call $free (i64.const 0))
          (call $free (i64.const -1))
          (call $free (i64.add (local.get $b) (i64.const 0x100000000)))
          ;; The memory of the first one is given to one block, not to two.
          (local.set $a (call $alloc (i64.const 100)))
          (local.set $c (call $alloc (i64.const 100)))
          (if (i64.eq (local.get $a) (local.get $c)) (then unreachable))
          (if (i64.ne (call $length (local.get $b)) (i64.const 100)) (then unreachable))
          (call $give (local.get $b)))"#,
    )));
    assert_eq!(plugin.output("free", b"").len(), 100);
}

#[test]
fn an_output_can_be_a_part_of_a_block_or_be_taken_back() {
    let mut plugin = Plugin::open(source(&guest(
        r#"(func (export "nothing"))
        (func (export "part") (call $output_set (i64.add (call $input_offset) (i64.const 1)) (i64.const 2)))
        (func (export "emptied") (call $output_set (call $input_offset) (i64.const 3))
          (call $output_set (i64.const 0) (i64.const 0)))
        (func (export "error taken back") (call $error_set (call $char (i32.const 97))) (call $error_set (i64.const 0)))"#,
    )));
    let big: Vec<_> = (0..1u32 << 20).map(|i| i as u8).collect();
    assert_eq!(plugin.output("echo", &big), big);
    assert_eq!(plugin.output("echo", b""), b"");
    assert_eq!(plugin.output("part", b"abcd"), b"bc");
    assert_eq!(plugin.output("emptied", b"abcd"), b"");
    assert_eq!(plugin.call("nothing", b"x").unwrap(), None);
    assert_eq!(plugin.call("error taken back", b"").unwrap(), None);
}
