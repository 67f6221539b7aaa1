//! Linked commands, and the order of initializers.

use super::*;

const SIDE: &str = r#"(memory (export "memory") 1) (func (export "_start"))
  (func (export "count") (result i64) (i64.const 1))"#;
const MAIN: &str = r#"(import "side" "count" (func (result i64)))"#;

fn runs_commands() -> LinkOptions {
    LinkOptions {
        runs_commands: true,
        wasi: true,
        ..LinkOptions::default()
    }
}

/// The initializers of the unit of this name.
fn initializers(linked: &LinkedModule, name: &str) -> Vec<String> {
    let mut units = linked.units.iter();
    let unit = units.find(|unit| unit.name == name).unwrap();
    let exports = unit.initializers.iter();
    exports.map(|each| each.export.clone()).collect()
}

#[test]
fn a_linked_command_has_an_instance_for_each_call() {
    let linked = linked(&[("side", SIDE), ("main", MAIN)]);
    let types = Types::new(&[], &[ValType::I64]);
    let (unit, name) = (0, "count".to_owned());
    assert_eq!(
        linked.units[1].imports,
        [Source::Command { unit, name, types }]
    );
    assert!(linked.units[0].per_call);
    assert!(!linked.units[1].per_call);
    assert!(linked.units[0].initializers.is_empty());
}

#[test]
fn a_linked_command_is_one_instance_where_its_memory_is_imported() {
    let main = format!(r#"{MAIN} (import "side" "memory" (memory 1))"#);
    let linked = linked(&[("side", SIDE), ("main", &main)]);
    assert!(!linked.units[0].per_call);
    let sources = [export(0, "count"), export(0, "memory")];
    assert_eq!(linked.units[1].imports, sources);
}

#[test]
fn a_linked_command_can_import_from_others_but_not_be_in_a_circle_itself() {
    let side = format!(r#"(import "main" "f" (func)) {SIDE}"#);
    let main = format!(r#"{MAIN} (func (export "f"))"#);
    let linked = linked(&[("side", &side), ("main", &main)]);
    // The trampoline comes first.
    assert!(linked.units[1].per_call);
    assert_eq!(linked.units[1].imports, [export(0, "0")]);

    let library = r#"(import "side" "count" (func (result i64))) (func (export "f"))"#;
    let side = format!(r#"(import "library" "f" (func)) {SIDE}"#);
    assert_eq!(
        refused(
            &[("side", &side), ("library", library), ("main", MAIN)],
            &[]
        ),
        r#"from module "main"/"side"/"library": cannot import "side" "count"; circular imports of type="function" are not supported"#
    );
}

#[test]
fn a_linked_command_that_runs_keeps_its_state() {
    let modules = manifest(&[("side", SIDE), ("main", MAIN)]);
    let linked = link(modules, &[], &runs_commands()).unwrap();
    assert!(!linked.units[0].per_call);
    assert_eq!(linked.units[1].imports, [export(0, "count")]);
    assert_eq!(initializers(&linked, "side"), ["_start"]);
}

#[test]
fn a_command_with_wasi_or_another_type_does_not_run() {
    let wasi =
        format!(r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32))) {SIDE}"#);
    let returns = r#"(func (export "_start") (result i32) (i32.const 0))
      (func (export "count") (result i64) (i64.const 1))"#;
    for side in [&*wasi, returns] {
        let modules = manifest(&[("side", side), ("main", MAIN)]);
        let linked = link(modules, &[], &runs_commands()).unwrap();
        assert!(initializers(&linked, "side").is_empty());
        assert!(!linked.units[0].per_call);
    }
}

#[test]
fn initializers_have_the_order_that_languages_expect() {
    let main = |exports: &[&str], options: &LinkOptions| {
        let exports = exports.iter().map(|export| match *export {
            "hs_init" => r#"(func (export "hs_init") (param i32 i32))"#.to_owned(),
            export => format!(r#"(func (export "{export}"))"#),
        });
        let text: String = exports.collect();
        let linked = link(manifest(&[("main", &text)]), &[], options).unwrap();
        initializers(&linked, "main")
    };
    let default = LinkOptions::default();
    let all = ["hs_init", "__wasm_call_ctors", "_initialize", "_start"];
    assert_eq!(main(&all, &default), ["_initialize", "hs_init"]);
    assert_eq!(main(&all[1..], &default), ["__wasm_call_ctors"]);
    assert_eq!(main(&all[2..], &default), ["_initialize"]);
    assert!(main(&all[3..], &default).is_empty());
    // The start of a command runs its constructors.
    assert_eq!(main(&all, &runs_commands()), ["_initialize", "_start"]);
    assert_eq!(main(&all[3..], &runs_commands()), ["_start"]);
}

#[test]
fn only_initialize_prepares_a_linked_module() {
    let side = r#"(func (export "__wasm_call_ctors")) (func (export "_initialize"))
      (func (export "_start")) (func (export "count") (result i64) (i64.const 1))
      (func $start) (start $start)"#;
    let linked = linked(&[("side", side), ("main", MAIN)]);
    assert_eq!(initializers(&linked, "side"), ["_initialize"]);
    // With `_initialize` it is not a command.
    assert!(!linked.units[0].per_call);
}
