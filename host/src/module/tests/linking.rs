//! Where imports come from, and what is refused.

use super::super::abi::{LEGACY, USER};
use super::*;

#[test]
fn orders_modules_by_their_imports_and_leaves_out_the_others() {
    let linked = linked(&[
        (
            "main",
            r#"(import "outer" "f" (func)) (import "inner" "g" (global i32))"#,
        ),
        (
            "outer",
            r#"(import "inner" "f" (func)) (func (export "f"))"#,
        ),
        ("unused", r#"(import "nowhere" "f" (func))"#),
        (
            "inner",
            r#"(func (export "f")) (global (export "g") i32 (i32.const 1))"#,
        ),
    ]);
    assert_eq!(unit_names(&linked), ["inner", "outer", "main"]);
    assert_eq!(linked.main, 2);
    assert_eq!(linked.units[1].imports, [export(0, "f")]);
    assert_eq!(linked.units[2].imports, [export(1, "f"), export(0, "g")]);
    assert!(linked.deferred.is_empty());
    assert_eq!(linked.interface.imports.len(), 2);
}

#[test]
fn takes_the_last_module_as_main_where_none_has_the_name() {
    let linked = linked(&[("a", ""), ("b", r#"(func (export "run"))"#)]);
    assert_eq!(unit_names(&linked), ["main"]);
    assert_eq!(linked.entry_points[0].name, "run");
}

#[test]
fn has_the_services_of_either_abi() {
    for (name, params, results) in ENVIRONMENT {
        let list = |keyword: &str, types: &[ValType]| {
            let names: Vec<_> = types.iter().map(ToString::to_string).collect();
            format!("({keyword} {})", names.join(" "))
        };
        let signature = format!("{} {}", list("param", params), list("result", results));
        for (module, prefix, legacy) in [("extism:host/env", "", false), ("env", "extism_", true)] {
            let text = format!(r#"(import "{module}" "{prefix}{name}" (func {signature}))"#);
            let linked = linked(&[("main", &text)]);
            assert_eq!(linked.units[0].imports, [Source::Service { name, legacy }]);
            assert_eq!(linked.uses_http, *name == "http_request");
        }
        let wrong = format!(r#"(import "extism:host/env" "{name}" (func (param f32)))"#);
        assert!(refused(&[("main", &wrong)], &[]).contains("the module wants (f32) -> ()"));
    }
}

#[test]
fn has_no_other_services() {
    for import in [
        r#"(import "extism:host/env" "memory" (memory 0))"#,
        r#"(import "extism:host/env" "reset" (func))"#,
        r#"(import "extism:host/env" "input_set" (func (param i64 i64)))"#,
        r#"(import "extism:host/env" "extism_alloc" (func (param i64) (result i64)))"#,
        r#"(import "extism:host/env" "extism_context" (global (mut externref)))"#,
        r#"(import "env" "alloc" (func (param i64) (result i64)))"#,
        r#"(import "env" "extism_reset" (func))"#,
        r#"(import "extism:host/env" "alloc" (global i64))"#,
    ] {
        let message = refused(&[("main", import)], &[]);
        assert!(message.starts_with("from module \"main\": "), "{message}");
    }
}

#[test]
fn matches_host_functions_by_namespace_name_and_type() {
    let wants = |module: &str| format!(r#"(import "{module}" "f" (func (param i64)))"#);
    let with = |module: &str, function: Signature| {
        let modules = manifest(&[("main", &wants(module))]);
        link(modules, &[function], &LinkOptions::default())
    };
    let i64 = [ValType::I64];
    for (module, namespace) in [(USER, None), (LEGACY, None), ("mine", Some("mine"))] {
        let linked = with(module, host(namespace, "f", &i64)).unwrap();
        let [used] = &linked.host_functions[..] else {
            panic!("{:?}", linked.host_functions);
        };
        assert_eq!(used.function, 0);
        assert_eq!(linked.units[0].imports, [Source::HostFunction(0)]);
    }
    let message = with("other", host(Some("mine"), "f", &i64))
        .unwrap_err()
        .message;
    assert!(message.contains("not provided by host imports nor linked manifest items"));
    let message = with(USER, host(None, "f", &[])).unwrap_err().message;
    assert!(message.contains("the module wants (i64) -> (), the host has () -> ()"));
}

#[test]
fn has_a_host_function_once_for_each_type() {
    let functions = [Signature {
        namespace: None,
        name: "f".to_owned(),
        types: None,
    }];
    let text = r#"(import "env" "f" (func)) (import "env" "f" (func (param i32)))
      (import "extism:host/user" "f" (func))"#;
    let modules = manifest(&[("main", text)]);
    let linked = link(modules, &functions, &LinkOptions::default()).unwrap();
    assert_eq!(linked.host_functions.len(), 2);
    let sources = [0, 1, 0].map(Source::HostFunction);
    assert_eq!(linked.units[0].imports, sources);
    let text = r#"(import "env" "f" (func (param externref)))"#;
    assert!(refused(&[("main", text)], &functions).contains("host functions have numbers only"));
}

#[test]
fn takes_a_module_before_host_functions_of_the_same_namespace() {
    let modules = [
        ("library", r#"(func (export "f"))"#),
        ("main", r#"(import "library" "f" (func))"#),
    ];
    let functions = [host(Some("library"), "f", &[])];
    let linked = link(manifest(&modules), &functions, &LinkOptions::default()).unwrap();
    assert_eq!(linked.units[1].imports, [export(0, "f")]);
}

#[test]
fn refuses_names_of_the_host_and_missing_exports() {
    for name in [
        "extism:host/env",
        "extism:host/circular",
        "extism:other",
        "wasi_snapshot_preview1",
        "wasi_unstable",
    ] {
        assert_eq!(
            refused(&[(name, ""), ("main", "")], &[]),
            format!("a module cannot be named \"{name}\": the host has that name")
        );
    }
    let twice = [("a", ""), ("a", ""), ("main", "")];
    assert_eq!(refused(&twice, &[]), "two modules are named \"a\"");
    let import = ("main", r#"(import "a" "f" (func))"#);
    assert_eq!(
        refused(&[("a", ""), import], &[]),
        r#"from module "main": cannot import "a" "f"; no export matched request"#
    );
    let wants_i32 = ("main", r#"(import "a" "f" (func (param i32)))"#);
    assert_eq!(
        refused(&[("a", r#"(func (export "f"))"#), wants_i32], &[]),
        r#"from module "main": cannot import "a" "f"; the module wants a function (i32) -> (), the export is a function () -> ()"#
    );
    assert_eq!(refused(&[], &[]), "the manifest has no module");
}

#[test]
fn lists_the_entry_points_that_can_be_called() {
    let text = r#"(memory (export "memory") 1) (func (export "a \"quoted\" \\ \u{1F600} name"))
      (func (export "code") (result i32) (i32.const 0)) (func (export "i64") (result i64) (i64.const 0))
      (func (export "param") (param f32)) (func (export "_start")) (func (export "ref") (param externref))"#;
    let names = |options: &LinkOptions| {
        let linked = link(manifest(&[("main", text)]), &[], options).unwrap();
        let commands = linked.commands.iter();
        let commands: Vec<_> = commands.map(|&at| &*linked.entry_points[at].name).collect();
        assert_eq!(commands, ["_start"]);
        let names = linked.entry_points.into_iter().map(|each| each.name);
        names.collect::<Vec<_>>()
    };
    let quoted = "a \"quoted\" \\ 😀 name";
    let mut options = LinkOptions::default();
    assert_eq!(names(&options), [quoted, "code", "_start"]);
    options.any_signature = true;
    assert_eq!(names(&options), [quoted, "code", "i64", "param", "_start"]);
}

#[test]
fn refuses_what_starts_beyond_its_limits() {
    let modules = [
        ("side", r#"(memory (export "m") 2) (table 5 funcref)"#),
        (
            "main",
            r#"(import "side" "m" (memory 1)) (memory i64 3) (table 6 funcref)"#,
        ),
    ];
    let mut options = LinkOptions {
        max_pages: 5,
        max_table_elements: 11,
        ..LinkOptions::default()
    };
    let linked = link(manifest(&modules), &[], &options).unwrap();
    assert_eq!((linked.memories, linked.initial_pages), (2, 5));
    assert_eq!(linked.initial_bytes(), 5 << 16);
    options.max_table_elements = 10;
    let failure = refused_with(&modules, &[], &options);
    assert_eq!(failure.code, Code::OutOfMemory);
    assert_eq!(
        failure.message,
        "the plugin starts with 11 table elements, of which 10 are allowed"
    );
    options.max_pages = 4;
    let failure = refused_with(&modules, &[], &options);
    assert_eq!(
        failure.message,
        "the plugin starts with 5 pages of memory, of which 4 are allowed"
    );
}
