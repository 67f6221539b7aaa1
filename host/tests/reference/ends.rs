//! How calls end, and where they end differently.

use crate::common::source::{EXIT, guest_with};
use crate::corpus::{Case, calls};
use crate::runs::Seen;

/// How calls end: outputs, codes, errors, exits and traps, in an order in which nothing depends on
/// what is left of an instance.
pub fn ends() -> Vec<Case> {
    let text = r#"(memory (export "memory") 1) (table 1 funcref)
      (func (export "code") (result i32) (i32.const 5))
      (func (export "minus") (result i32) (i32.const -1))
      (func (export "output and code") (result i32) (call $output_set (call $input_offset) (call $input_length)) (i32.const 1))
      (func (export "error") (call $error_set (call $char (i32.const 101))))
      (func (export "error and 0") (result i32) (call $error_set (call $char (i32.const 101))) (i32.const 0))
      (func (export "error and code") (result i32) (call $error_set (call $input_offset)) (i32.const 9))
      (func (export "error and output") (call $error_set (call $char (i32.const 101))) (call $output_set (call $input_offset) (call $input_length)))
      (func (export "error taken back") (call $error_set (call $char (i32.const 101))) (call $error_set (i64.const 0)))
      (func (export "exit 0") (call $output_set (call $input_offset) (call $input_length)) (call $exit (i32.const 0)))
      (func (export "exit 3") (call $exit (i32.const 3)))
      (func (export "exit 125") (call $exit (i32.const 125)))
      (func (export "error and exit") (call $error_set (call $char (i32.const 101))) (call $exit (i32.const 3)))
      (func (export "error and exit 0") (call $error_set (call $char (i32.const 101))) (call $exit (i32.const 0)))
      (func (export "error and trap") (call $error_set (call $char (i32.const 101))) unreachable)
      (func (export "divide") (drop (i32.div_u (i32.const 1) (i32.const 0))))
      (func (export "overflow") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
      (func (export "convert") (drop (i32.trunc_f32_s (f32.const nan))))
      (func (export "load") (drop (i32.load (i32.const 65536))))
      (func (export "null") (call_indirect (i32.const 0)))
      (func (export "element") (call_indirect (i32.const 7)))
      (func (export "part") (call $output_set (i64.add (call $input_offset) (i64.const 1)) (i64.const 2)))"#;
    let text = guest_with(EXIT, text);
    let functions: Vec<_> = text
        .split("(export \"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"').map(|(name, _)| name))
        .filter(|name| !["memory", "spin"].contains(name))
        .collect();
    assert_eq!(functions.len(), 23, "{functions:?}");
    let each = functions
        .iter()
        .flat_map(|name| [(*name, "input"), ("echo", "after it")]);
    vec![Case::new("ends", &text, calls(&each.collect::<Vec<_>>()))]
}

/// Cases whose last call ends differently: ours, and the reference's, `None` for a failure of its
/// own words.
pub fn differences() -> Vec<(Case, Seen, Option<Seen>)> {
    let output = |text: &str| Seen::Output(text.as_bytes().to_vec());
    let case = |name: &str, text: &str, functions: &[&str]| {
        let list: Vec<_> = functions.iter().map(|function| (*function, "in")).collect();
        Case::new(
            name,
            &guest_with(EXIT, &format!(r#"(memory (export "memory") 1) {text}"#)),
            calls(&list),
        )
    };
    let count = r#"(global $n (mut i32) (i32.const 48))
      (func (export "count") (global.set $n (i32.add (global.get $n) (i32.const 1))) (call $give (call $char (global.get $n))))
      (func (export "exit") (call $exit (i32.const 3)))"#;
    vec![
        (
            case("state after a trap", count, &["count", "trap", "count"]),
            output("1"),
            Some(output("2")),
        ),
        (
            case("state after an exit", count, &["count", "exit", "count"]),
            output("1"),
            Some(output("2")),
        ),
        (
            case(
                "exit code 126",
                r#"(func (export "f") (call $exit (i32.const 126)))"#,
                &["f"],
            ),
            Seen::Exit(126),
            None,
        ),
        (
            case(
                "exit code -1",
                r#"(func (export "f") (call $exit (i32.const -1)))"#,
                &["f"],
            ),
            Seen::Exit(-1),
            None,
        ),
        (
            case(
                "a store before a block",
                r#"(func (export "f") (call $store_u8 (i64.sub (call $alloc (i64.const 8)) (i64.const 1)) (i32.const 0)))"#,
                &["f"],
            ),
            Seen::Memory,
            Some(output("")),
        ),
        (
            case(
                "a key that was handed over",
                r#"(func (export "f") (local $p i64) (local.set $p (call $char (i32.const 97)))
                  (drop (call $var_get (local.get $p)))
                  (call $output_set (call $char (i32.const 98)) (call $length (local.get $p))))"#,
                &["f"],
            ),
            output("b"),
            Some(output("")),
        ),
        (
            case(
                "an output that is taken back",
                r#"(func (export "f") (call $output_set (call $input_offset) (call $input_length))
                  (call $output_set (i64.const 0) (i64.const 0)))"#,
                &["f"],
            ),
            output(""),
            Some(output("in")),
        ),
        (
            case(
                "an error that is freed",
                r#"(func (export "f") (local $p i64) (local.set $p (call $char (i32.const 97)))
                  (call $error_set (local.get $p)) (call $store_u8 (local.get $p) (i32.const 98)))"#,
                &["f"],
            ),
            Seen::Failed("a".to_owned()),
            Some(Seen::Failed("b".to_owned())),
        ),
        (
            case(
                "an error that is no text",
                r#"(func (export "f") (call $error_set (call $char (i32.const 255))))"#,
                &["f"],
            ),
            Seen::Failed("\u{fffd}".to_owned()),
            None,
        ),
    ]
}
