//! What a failure says of where the guest was.

use extism_host::error::Code;

use crate::common::Plugin;
use crate::common::source::{guest, source};

const NESTED: &str = r#"
(func $inner unreachable)
(func $middle (call $inner))
(func (export "outer") (call $middle))"#;

#[test]
fn a_backtrace_names_functions() {
    let mut plugin = Plugin::open(source(&guest(NESTED)));
    let failure = plugin.failure("outer");
    assert_eq!(failure.code, Code::Trap);
    assert_eq!(
        failure.message,
        "wasm trap: wasm `unreachable` instruction executed"
    );
    assert_eq!(failure.function.as_deref(), Some("outer"));
    let backtrace = failure.backtrace.unwrap();
    let lines: Vec<_> = backtrace.lines().collect();
    assert_eq!(lines.len(), 3, "{backtrace}");
    assert!(
        lines[0].ends_with("!inner") && lines[1].ends_with("!middle"),
        "{backtrace}"
    );
}

/// Sections of DWARF 4 that say that all code is from line 42 of `guest.c`.
fn dwarf() -> String {
    let unit = |contents: &[u8]| [&(contents.len() as u32).to_le_bytes()[..], contents].concat();
    let (low, length) = (1u32.to_le_bytes(), 0x10_0000u32.to_le_bytes());
    // A compile unit without children: name, stmt_list, low_pc, high_pc.
    let abbreviations = [
        1, 0x11, 0, 0x03, 0x08, 0x10, 0x17, 0x11, 0x01, 0x12, 0x06, 0, 0, 0,
    ];
    let info = [
        &[4, 0, 0, 0, 0, 0, 4, 1],
        &b"guest.c\0"[..],
        &[0; 4],
        &low,
        &length,
    ]
    .concat();
    let header = [
        &[1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0],
        &b"guest.c\0\0\0\0\0"[..],
    ];
    let header = header.concat();
    // set_address, advance_line 41, copy, advance_pc 0x100000, end_sequence.
    let program = [
        &[0, 5, 2],
        &low[..],
        &[3, 41, 1, 2, 0x80, 0x80, 0xc0, 0, 0, 1, 1],
    ];
    let lines = [&[4, 0], &unit(&header)[..], &program.concat()].concat();
    let sections = [
        (".debug_abbrev", abbreviations.to_vec()),
        (".debug_info", unit(&info)),
        (".debug_line", unit(&lines)),
    ];
    let section = |(name, bytes): (&str, Vec<u8>)| {
        let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        format!("(@custom \"{name}\" \"{bytes}\")")
    };
    sections.map(section).concat()
}

#[test]
fn a_backtrace_has_file_and_line_where_the_module_says() {
    let text = guest(&format!("{NESTED} {}", dwarf()));
    let backtrace = Plugin::open(source(&text))
        .failure("outer")
        .backtrace
        .unwrap();
    assert!(backtrace.contains("at guest.c:42:"), "{backtrace}");
}

#[test]
fn names_of_any_length_make_a_backtrace_of_bounded_length() {
    // A name that takes much longer when it is demangled.
    let name = format!("_ZN{}E", "1a".repeat(50_000));
    let text = format!(
        r#"(func $f (@name "{name}") (param i32)
          (if (i32.eqz (local.get 0)) (then unreachable))
          (call $f (i32.sub (local.get 0) (i32.const 1))))
        (func (export "deep") (call $f (i32.const 100)))"#
    );
    let backtrace = Plugin::open(source(&guest(&text)))
        .failure("deep")
        .backtrace
        .unwrap();
    assert!(
        backtrace.len() <= extism_host::error::MAX_MESSAGE_BYTES,
        "{}",
        backtrace.len()
    );
}

#[test]
fn traps_of_all_kinds_say_what_they_are() {
    let mut plugin = Plugin::open(source(&guest(
        r#"(memory 1) (table 1 funcref)
        (func (export "divide") (drop (i32.div_u (i32.const 1) (i32.const 0))))
        (func (export "overflow") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
        (func (export "convert") (drop (i32.trunc_f32_s (f32.const nan))))
        (func (export "load") (drop (i32.load (i32.const 65536))))
        (func (export "store") (i32.store (i32.const -1) (i32.const 0)))
        (func (export "null") (call_indirect (i32.const 0)))
        (func (export "element") (call_indirect (i32.const 7)))"#,
    )));
    for (function, text) in [
        ("divide", "divide by zero"),
        ("overflow", "overflow"),
        ("convert", "integer"),
        ("load", "out of bounds"),
        ("store", "out of bounds"),
        ("null", "uninitialized element"),
        ("element", "out of bounds"),
    ] {
        let failure = plugin.failure(function);
        assert_eq!(failure.code, Code::Trap, "{function}: {failure}");
        assert!(failure.message.contains(text), "{function}: {failure}");
    }
}

#[test]
fn codes_and_errors_of_guests_are_told_apart() {
    let functions = r#"(func (export "seven") (result i32) (i32.const 7))
      (func (export "both") (result i32) (call $error_set (call $char (i32.const 0x65))) (i32.const 3))
      (func (export "error and trap") (call $error_set (call $char (i32.const 0x65))) unreachable)
      (func (export "not text") (call $error_set (call $char (i32.const 0xff))))"#;
    let mut plugin = Plugin::open(source(&guest(functions)));
    let mut seen = |function: &str| {
        let failure = plugin.failure(function);
        (failure.code, failure.exit_code, failure.message)
    };
    assert_eq!(
        seen("seven"),
        (Code::Exit, Some(7), "the plugin returned 7".to_owned())
    );
    assert_eq!(seen("both"), (Code::Guest, Some(3), "e".to_owned()));
    assert_eq!(seen("error and trap"), (Code::Trap, None, "e".to_owned()));
    assert_eq!(
        seen("not text"),
        (Code::Guest, Some(0), "\u{fffd}".to_owned())
    );
    let mut source = source(&guest(functions));
    source.codes_are_errors = false;
    let mut plugin = Plugin::open(source);
    assert_eq!(plugin.call("seven", b"").unwrap(), None);
    assert_eq!(plugin.code("both"), Code::Guest);
    assert!(
        plugin
            .failure("error and trap")
            .message
            .contains("unreachable")
    );
}
