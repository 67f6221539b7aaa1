//! Plugins and the series of calls that are made on them.

use crate::common::source::{SERVICES, guest};

pub type Calls = Vec<(String, Vec<u8>)>;

pub struct Case {
    pub name: String,
    pub modules: Vec<(String, Vec<u8>)>,
    pub calls: Calls,
}

impl Case {
    pub fn new(name: &str, text: &str, calls: Calls) -> Self {
        Self {
            name: name.to_owned(),
            modules: vec![("main".to_owned(), wat::parse_str(text).unwrap())],
            calls,
        }
    }

    /// The first module provides what the main one imports.
    fn with(mut self, name: &str, text: &str) -> Self {
        self.modules
            .insert(0, (name.to_owned(), wat::parse_str(text).unwrap()));
        self
    }
}

pub fn calls(list: &[(&str, &str)]) -> Calls {
    let list = list.iter();
    list.map(|(function, input)| (function.to_string(), input.as_bytes().to_vec()))
        .collect()
}

/// The plugins of the repository: of today, of 2023, and the smallest one.
pub fn repository_texts() -> [&'static str; 3] {
    [
        include_str!("../../../test/plugins/modern.wat"),
        include_str!("../../../test/plugins/2023.wat"),
        include_str!("../../../test/plugins/run.wat"),
    ]
}

pub fn repository_calls() -> Calls {
    let mut list = calls(&[
        ("nothing", "ignored"),
        ("echo", "hello"),
        ("echo", "👋"),
        ("echo", ""),
        ("echo8", "eight bytes"),
        ("reverse", "desserts"),
        ("reverse", ""),
        ("count", ""),
        ("count", ""),
        ("seven", ""),
        ("count", ""),
        ("refuse", "not today"),
        ("count", ""),
        ("config", "key"),
        ("config", "no such key"),
        ("kept", ""),
        ("keep", "a value"),
        ("kept", ""),
        ("keep", "another value"),
        ("log", "a message"),
        ("kept", ""),
        ("nothing", ""),
        ("trap", ""),
        ("echo", "after a trap"),
        ("kept", ""),
        ("recurse", ""),
        ("echo", "after a recursion"),
    ]);
    let large: Vec<_> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
    list.insert(5, ("echo".to_owned(), large.clone()));
    list.insert(8, ("reverse".to_owned(), large));
    list
}

pub fn repository() -> [Case; 2] {
    let [modern, _, run] = repository_texts();
    [
        Case::new("modern.wat", modern, repository_calls()),
        Case::new("run.wat", run, calls(&[("run", ""), ("run", "x")])),
    ]
}

pub fn go() -> Case {
    let names = [
        "Ada",
        "",
        "世界",
        "a name that is a good deal longer than the others",
    ];
    let mut list: Calls = (0..3)
        .flat_map(|_| names)
        .map(|name| ("say_hello".to_owned(), name.as_bytes().to_vec()))
        .collect();
    list.push(("say_hello".to_owned(), vec![b'x'; 200_000]));
    Case {
        name: "the Go plugin".to_owned(),
        modules: vec![(
            "main".to_owned(),
            include_bytes!("../../../plugin/simple.wasm").to_vec(),
        )],
        calls: list,
    }
}

/// A function that gives the number that this code makes.
fn number(name: &str, code: &str) -> String {
    format!(
        r#"(func (export "{name}") (local $p i64) (local $r i64) (local $n i64)
          (local.set $n {code})
          (local.set $r (call $alloc (i64.const 8)))
          (call $store_u64 (local.get $r) (local.get $n))
          (call $output_set (local.get $r) (i64.const 8)))"#
    )
}

/// A plugin for each function of the environment, or for a few that belong together.
pub fn environment() -> Vec<Case> {
    let block = |then: &str| {
        format!(
            r#"(local.set $p (call $alloc (i64.const 20)))
            (call $store_u64 (local.get $p) (i64.const 0x4141414142424242))
            (call $store_u8 (i64.add (local.get $p) (i64.const 3)) (i32.const 0x43)) {then}"#
        )
    };
    let with_block = |name: &str, code: &str| {
        number(name, &format!("(block (result i64) {} {code})", block("")))
    };
    let numbers = [
        (
            "alloc",
            with_block(
                "f",
                "(i64.extend_i32_u (i64.ne (local.get $p) (i64.const 0)))",
            ),
        ),
        (
            "alloc of nothing",
            number("f", "(call $alloc (i64.const 0))"),
        ),
        ("length", with_block("f", "(call $length (local.get $p))")),
        (
            "length_unsafe",
            with_block("f", "(call $length_unsafe (local.get $p))"),
        ),
        (
            "length of nothing",
            number("f", "(call $length (i64.const 0))"),
        ),
        (
            "load_u8",
            with_block(
                "f",
                "(i64.extend_i32_u (call $load_u8 (i64.add (local.get $p) (i64.const 3))))",
            ),
        ),
        (
            "load_u64",
            with_block("f", "(call $load_u64 (local.get $p))"),
        ),
        (
            "free",
            with_block(
                "f",
                "(call $free (local.get $p)) (call $length (local.get $p))",
            ),
        ),
        (
            "free twice",
            with_block(
                "f",
                "(call $free (local.get $p)) (call $free (local.get $p)) (call $length (local.get $p))",
            ),
        ),
        ("input_length", number("f", "(call $input_length)")),
        (
            "input_offset",
            number("f", "(call $length (call $input_offset))"),
        ),
        (
            "input_load_u8",
            number(
                "f",
                "(i64.extend_i32_u (call $input_load_u8 (i64.const 3)))",
            ),
        ),
        (
            "input_load_u64",
            number("f", "(call $input_load_u64 (i64.const 3))"),
        ),
        (
            "input_load_u64 at the end",
            number("f", "(call $input_load_u64 (call $input_length))"),
        ),
        (
            "input_load_u64 across the end",
            number(
                "f",
                "(call $input_load_u64 (i64.sub (call $input_length) (i64.const 7)))",
            ),
        ),
        (
            "get_log_level",
            number("f", "(i64.extend_i32_u (call $get_log_level))"),
        ),
        (
            "log_info",
            with_block("f", "(call $log_info (local.get $p)) (i64.const 1)"),
        ),
        (
            "log_error",
            with_block("f", "(call $log_error (local.get $p)) (i64.const 1)"),
        ),
        (
            "config_get",
            number(
                "f",
                "(i64.add (call $length (call $config_get (call $char (i32.const 107)))) (call $config_get (call $char (i32.const 88))))",
            ),
        ),
        (
            "nothing as a key",
            number(
                "f",
                "(i64.add (call $var_get (i64.const 0)) (call $config_get (i64.const 0)))",
            ),
        ),
        (
            "nothing as a message",
            number(
                "f",
                "(block (result i64) (call $log_info (i64.const 0)) (i64.const 1))",
            ),
        ),
        (
            "var_get of none",
            number("f", "(call $var_get (call $char (i32.const 107)))"),
        ),
    ];
    let inputs = ["a long enough input", "", "eight by", "short"];
    let list = calls(&inputs.map(|input| ("f", input)));
    let mut cases: Vec<_> = numbers
        .iter()
        .map(|(name, code)| Case::new(name, &guest(code), list.clone()))
        .collect();
    let variables = r#"
      (func (export "set") (call $var_set (call $char (i32.const 97)) (call $char (i32.load8_u (i32.const 0)))))
      (func (export "set input") (call $var_set (call $char (i32.const 98)) (call $input_offset)))
      (func (export "remove") (call $var_set (call $char (i32.const 97)) (i64.const 0)))
      (func (export "get") (call $give (call $var_get (call $char (i32.const 97)))))
      (func (export "get input") (call $give (call $var_get (call $char (i32.const 98)))))
      (memory 1) (data (i32.const 0) "v")"#;
    let list = calls(&[
        ("get", ""),
        ("set", ""),
        ("get", ""),
        ("get input", ""),
        ("set input", "from the input"),
        ("get input", "x"),
        ("get", ""),
        ("remove", ""),
        ("get", ""),
        ("remove", ""),
        ("get input", ""),
        ("set input", "again"),
        ("set", ""),
        ("get input", ""),
        ("get", ""),
    ]);
    cases.push(Case::new("variables", &guest(variables), list));
    let shared = r#"(module (import "side" "up" (func $up (result i32))) (import "side" "give" (func $give))
      (func (export "up") (result i32) (call $up)) (func (export "give") (call $give)))"#;
    let side = format!(
        r#"(module {SERVICES} (global $n (mut i32) (i32.const 0))
        (func (export "up") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
        (func (export "give") (call $output_set (call $input_offset) (call $input_length))))"#
    );
    let list = calls(&[
        ("up", ""),
        ("up", ""),
        ("give", "through a module"),
        ("up", ""),
    ]);
    cases.push(Case::new("two modules", shared, list).with("side", &side));
    cases
}
