//! What an instance keeps from one call to the next, and what its successor gets of it.

use std::sync::Arc;
use std::time::Duration;

use extism_host::error::Code;
use extism_host::module::LinkOptions;
use extism_host::pool::PluginSource;
use extism_host::variables::{Scope, Variables};

use crate::common::Plugin;
use crate::common::source::{COUNT, EXIT, HOST, embedded, guest_with, rust, source};
use wasmparser::ValType::I64;

/// Ends in every way that there is, and keeps a variable.
fn mortal() -> PluginSource {
    let functions = format!(
        r#"{COUNT} (export "memory" (memory $counted))
        (func (export "exit") (call $exit (i32.const 3)))
        (func (export "exit0")
          (call $output_set (call $input_offset) (call $input_length))
          (call $exit (i32.const 0)))
        (func (export "wild") (call $store_u8 (i64.const 9) (i32.const 1)))
        (func (export "panic") (drop (call $host (i64.const 0))))
        (func (export "recurse") (call $deeper (i64.const 0)))
        (func $deeper (param i64) (call $deeper (i64.add (local.get 0) (i64.const 1))) (drop (call $load_u8 (local.get 0))))
        (func (export "_start"))
        (func (export "refuse") (call $error_set (call $char (i32.const 0x65))))
        (func (export "keep") (call $var_set (call $char (i32.const 0x6e)) (call $char (i32.const 0x76))))
        (func (export "kept") (call $give (call $var_get (call $char (i32.const 0x6e)))))"#
    );
    let mut source = source(&guest_with(&format!("{HOST} {EXIT}"), &functions));
    source.functions = vec![rust("host", &[I64], &[I64], |_, _, _| panic!("on purpose"))];
    source
}

const ENDS: [(&str, Code); 7] = [
    ("trap", Code::Trap),
    ("spin", Code::Timeout),
    ("exit", Code::Exit),
    ("wild", Code::Memory),
    ("panic", Code::Internal),
    ("recurse", Code::Trap),
    ("cancelled", Code::Cancelled),
];

/// Ends an instance in one of these ways.
fn end(plugin: &mut Plugin, function: &str, expected: Code) {
    let id = match function {
        "cancelled" => {
            let id = plugin.submit("spin", b"");
            plugin.until_active(1);
            assert!(plugin.pool.cancel(id));
            id
        }
        "spin" => plugin.submit_timed("spin", Duration::from_millis(20)),
        _ => plugin.submit(function, b""),
    };
    let failure = plugin.wait(id).unwrap_err();
    assert_eq!(failure.code, expected, "{function}: {failure}");
}

#[test]
fn a_call_after_one_that_broke_off_runs_on_a_fresh_instance() {
    let mut plugin = Plugin::open(mortal());
    for (function, code) in ENDS {
        assert_eq!(plugin.number("count"), 0, "before {function}");
        assert_eq!(plugin.number("count"), 1, "before {function}");
        end(&mut plugin, function, code);
    }
    assert_eq!(plugin.number("count"), 0);
    assert_eq!(plugin.pool.report().replaced, ENDS.len() as u64);
    assert_eq!(plugin.pool.report().instances, 1);
}

#[test]
fn an_instance_serves_on_after_an_error_of_its_own() {
    let mut plugin = Plugin::open(mortal());
    assert_eq!(plugin.number("count"), 0);
    let failure = plugin.failure("refuse");
    assert_eq!((failure.code, &*failure.message), (Code::Guest, "e"));
    assert_eq!(plugin.number("count"), 1);
}

#[test]
fn a_command_and_an_exit_with_0_use_an_instance_up() {
    let mut plugin = Plugin::open(mortal());
    assert_eq!(plugin.number("count"), 0);
    assert_eq!(plugin.call("_start", b"").unwrap(), None);
    assert_eq!(plugin.number("count"), 0);
    assert_eq!(plugin.output("exit0", b"bye"), b"bye");
    assert_eq!(plugin.number("count"), 0);
}

#[test]
fn variables_end_with_the_guest_outlive_it_or_are_the_plugins() {
    for (function, code) in ENDS {
        let shared = Arc::new(Variables::new(1 << 20));
        let scopes = [
            (Scope::Guest, ""),
            (Scope::Instance, "v"),
            (Scope::Plugin(shared), "v"),
        ];
        for (scope, expected) in scopes {
            let mut plugin = Plugin::open(PluginSource {
                variables: scope,
                ..mortal()
            });
            plugin.call("keep", b"").unwrap();
            assert_eq!(plugin.text("kept", ""), "v");
            end(&mut plugin, function, code);
            assert_eq!(plugin.text("kept", ""), expected, "after {function}");
        }
    }
}

#[test]
fn instances_have_variables_of_their_own_or_the_plugins() {
    let shared = Arc::new(Variables::new(1 << 20));
    for (scope, expected) in [(Scope::Instance, ""), (Scope::Plugin(shared), "v")] {
        let functions = r#"
          (func (export "keep")
            (call $var_set (call $char (i32.const 0x6e)) (call $char (i32.const 0x76)))
            (drop (call $host (i64.const 0))))
          (func (export "kept") (call $give (call $var_get (call $char (i32.const 0x6e)))))"#;
        let mut source = source(&guest_with(HOST, functions));
        source.functions = vec![embedded("host")];
        source.options.instances = 2;
        source.variables = scope;
        let mut plugin = Plugin::open(source);
        let first = plugin.submit("keep", b"");
        let waiting = plugin.host.host_call();
        let own = plugin.pool.variables(waiting.instance).unwrap();
        assert_eq!(own.get(b"n").unwrap().as_bytes(), b"v");
        assert_eq!(plugin.text("kept", ""), expected);
        assert!(waiting.finish(crate::common::gives(0).unwrap()));
        plugin.wait(first).unwrap();
    }
}

#[test]
fn a_fresh_instance_sees_nothing_of_the_call_before() {
    let mut source = mortal();
    source.options.fresh = true;
    let mut plugin = Plugin::open(source);
    for _ in 0..5 {
        assert_eq!(plugin.number("count"), 0);
        plugin.call("keep", b"").unwrap();
        assert_eq!(plugin.text("kept", ""), "");
    }
    let report = plugin.pool.report();
    assert_eq!((report.instances, report.replaced), (0, 0));
}

#[test]
fn no_call_sees_bytes_of_the_blocks_of_earlier_ones() {
    let functions = r#"
      (func (export "secret") (local $p i64)
        (local.set $p (call $alloc (i64.const 4096)))
        (call $store_u64 (i64.add (local.get $p) (i64.const 2048)) (i64.const 0x736563726574)))
      (func (export "search") (result i32) (local $a i64)
        (loop $l
          (if (i64.eq (call $load_u64 (local.get $a)) (i64.const 0x736563726574)) (then (return (i32.const 1))))
          (local.set $a (i64.add (local.get $a) (i64.const 1)))
          (br_if $l (i64.lt_u (local.get $a) (i64.const 65536))))
        (i32.const 0))"#;
    for fresh in [false, true] {
        let mut source = source(&guest_with("", functions));
        source.options.fresh = fresh;
        let mut plugin = Plugin::open(source);
        plugin.call("secret", b"").unwrap();
        assert_eq!(plugin.number("search"), 0, "fresh: {fresh}");
    }
}

#[test]
fn functions_with_parameters_get_zeros_where_they_can_be_called() {
    let mut source = source(&guest_with(
        "",
        r#"(func (export "sum") (param i32 i64) (result i64) (call $give (call $char (i32.add (i32.const 0x30) (local.get 0))))
          (local.get 1))"#,
    ));
    source.link = LinkOptions {
        any_signature: true,
        ..source.link
    };
    assert_eq!(Plugin::open(source).text("sum", ""), "0");
}
