//! Modules that import from each other in a circle.

use super::instantiate::{call, instantiate};
use super::*;

const EVEN: &str = r#"(import "main" "odd" (func $odd (param i32) (result i32)))
  (func (export "even") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))
      (else (return_call $odd (i32.sub (local.get 0) (i32.const 1))))))"#;
const ODD: &str = r#"(import "even" "even" (func $even (param i32) (result i32)))
  (func (export "odd") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
      (else (return_call $even (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "ten") (result i32) (call $even (i32.const 10)))
  (func (export "seven") (result i32) (call $even (i32.const 7)))
  (func (export "million") (result i32) (call $even (i32.const 1000000)))"#;

#[test]
fn functions_are_called_through_a_table() {
    let linked = linked(&[("even", EVEN), ("main", ODD)]);
    assert_eq!(
        unit_names(&linked),
        ["extism:host/circular", "even", "main"]
    );
    assert_eq!(linked.main, 2);
    assert_eq!(linked.units[1].imports, [export(0, "0")]);
    assert_eq!(linked.units[2].imports, [export(1, "even")]);
    let expected = Deferred {
        trampoline: 0,
        table: "table".to_owned(),
        slot: 0,
        unit: 2,
        export: "odd".to_owned(),
    };
    assert_eq!(linked.deferred, [expected]);
}

#[test]
fn functions_in_a_circle_run_and_keep_tail_calls() {
    let linked = linked(&[("even", EVEN), ("main", ODD)]);
    let (mut store, instance) = instantiate(&linked).unwrap();
    for (name, result) in [("ten", 1), ("seven", 0), ("million", 1)] {
        assert_eq!(call(&mut store, &instance, name), result, "{name}");
    }
}

#[test]
fn one_slot_serves_all_importers_of_an_export() {
    let side = |next: &str| {
        format!(
            r#"(import "main" "f" (func $f (param i64 f32 v128 funcref externref) (result i32 f64)))
            {next} (func (export "g") (result i32) (i32.const 1))"#
        )
    };
    let a = side(r#"(import "b" "g" (func (result i32)))"#);
    let b = side(r#"(import "a" "g" (func (result i32)))"#);
    let main = r#"(import "a" "g" (func (result i32)))
      (func (export "f") (param i64 f32 v128 funcref externref) (result i32 f64) (i32.const 1) (f64.const 2))"#;
    let linked = linked(&[("a", &a), ("b", &b), ("main", main)]);
    let slots = linked.deferred.iter();
    let slots: Vec<_> = slots
        .map(|each| (each.slot, each.unit, &*each.export))
        .collect();
    assert_eq!(unit_names(&linked)[1..], ["b", "a", "main"]);
    assert_eq!(slots, [(0, 3, "f"), (1, 2, "g")]);
    assert_eq!(linked.units[1].imports, [export(0, "0"), export(0, "1")]);
    assert_eq!(linked.units[2].imports, [export(0, "0"), export(1, "g")]);
    instantiate(&linked).unwrap();
}

#[test]
fn a_module_can_import_its_own_functions() {
    let main = r#"(import "main" "f" (func $f (result i32)))
      (func (export "f") (result i32) (i32.const 5)) (func (export "run") (result i32) (call $f))"#;
    let linked = linked(&[("main", main)]);
    let (mut store, instance) = instantiate(&linked).unwrap();
    assert_eq!(call(&mut store, &instance, "run"), 5);
}

#[test]
fn an_empty_slot_traps() {
    let side = r#"(import "main" "f" (func $f)) (func (export "g")) (start $f)"#;
    let main = r#"(import "side" "g" (func)) (func (export "f"))"#;
    let linked = linked(&[("side", side), ("main", main)]);
    let error = instantiate(&linked).unwrap_err();
    let trap = error.downcast_ref::<wasmtime::Trap>();
    assert_eq!(trap, Some(&wasmtime::Trap::IndirectCallToNull));
}

#[test]
fn other_kinds_are_refused_and_the_circle_is_named() {
    let circle = |import: &str, export: &str| {
        let a = format!(r#"(import "b" "f" (func)) {export}"#);
        let b = format!(r#"(import "a" "f" ({import})) (func (export "f"))"#);
        let main = format!(r#"(import "a" "f" ({import}))"#);
        refused(&[("a", &*a), ("b", &*b), ("main", &*main)], &[])
    };
    for (kind, import, export) in [
        ("memory", "memory 1", r#"(memory (export "f") 1)"#),
        (
            "table",
            "table 1 funcref",
            r#"(table (export "f") 1 funcref)"#,
        ),
        (
            "global",
            "global i32",
            r#"(global (export "f") i32 (i32.const 1))"#,
        ),
        ("tag", "tag", r#"(tag (export "f"))"#),
    ] {
        assert_eq!(
            circle(import, export),
            format!(
                r#"from module "main"/"a"/"b": cannot import "a" "f"; circular imports of type="{kind}" are not supported"#
            )
        );
    }
    // A type that refers to other types of its module.
    let concrete = r#"(type $t (func)) (import "main" "f" (func (param (ref null $t))))
      (func (export "f") (param (ref null $t)))"#;
    assert!(refused(&[("main", concrete)], &[]).contains(r#"circular imports of type="function""#));
}

#[test]
fn exports_are_checked_in_a_circle_too() {
    let import = r#"(import "main" "f" (func (param i32)))"#;
    assert!(refused(&[("main", import)], &[]).contains("no export matched request"));
    let other = format!(r#"{import} (func (export "f"))"#);
    assert!(refused(&[("main", &other)], &[]).contains("the module wants a function (i32) -> ()"));
}

#[test]
fn the_table_counts_as_elements_and_its_module_has_a_size() {
    let options = LinkOptions {
        max_table_elements: 0,
        ..LinkOptions::default()
    };
    let modules = [("even", EVEN), ("main", ODD)];
    let failure = refused_with(&modules, &[], &options);
    assert_eq!(
        failure.message,
        "the plugin starts with 1 table elements, of which 0 are allowed"
    );
    let params = "i64 ".repeat(1000);
    let each = |text: &dyn Fn(usize) -> String| (0..200).map(text).collect::<String>();
    let imports = each(&|at| format!(r#"(import "main" "{at}" (func (type $t)))"#));
    let exports = each(&|at| format!(r#"(export "{at}" (func $f))"#));
    let text = format!("(type $t (func (param {params}))) {imports} (func $f (type $t)) {exports}");
    assert!(refused(&[("main", &text)], &[]).contains("200 functions from each other in circles"));
}
