//! Modules of a manifest that stand in for host functions.

use super::*;

const MAIN: &str = r#"(import "env" "f" (func)) (import "env" "extism_free" (func (param i64)))"#;

#[test]
fn provide_what_no_host_function_does() {
    for namespace in ["extism:host/user", "env"] {
        let main =
            format!(r#"(import "{namespace}" "f" (func)) (import "{namespace}" "g" (func))"#);
        let side = r#"(func (export "f")) (func (export "g"))"#;
        let modules = [(namespace, side), ("main", &*main)];
        let functions = [host(None, "g", &[])];
        let linked = link(manifest(&modules), &functions, &LinkOptions::default()).unwrap();
        let sources = [export(0, "f"), Source::HostFunction(0)];
        assert_eq!(linked.units[1].imports, sources);
    }
}

#[test]
fn come_before_services_and_leave_the_others() {
    let name = "free";
    let service = Source::Service { name, legacy: true };
    let without = linked(&[("env", r#"(func (export "f"))"#), ("main", MAIN)]);
    assert_eq!(without.units[1].imports, [export(0, "f"), service.clone()]);
    // It can wrap the service of its own name.
    let side = r#"(import "env" "extism_free" (func $free (param i64))) (func (export "f"))
      (func (export "extism_free") (param i64) (call $free (local.get 0)))"#;
    let with = linked(&[("env", side), ("main", MAIN)]);
    assert_eq!(with.units[0].imports, [service]);
    assert_eq!(
        with.units[1].imports,
        [export(0, "f"), export(0, "extism_free")]
    );
}

#[test]
fn share_what_is_not_a_function_too() {
    let main = r#"(import "env" "memory" (memory 1))"#;
    let linked = linked(&[("env", r#"(memory (export "memory") 1)"#), ("main", main)]);
    assert_eq!(linked.units[1].imports, [export(0, "memory")]);
}

#[test]
fn are_named_where_they_lack_an_import() {
    let message = refused(&[("env", ""), ("main", MAIN)], &[]);
    assert_eq!(
        message,
        r#"from module "main": cannot import "env" "f"; no export matched request"#
    );
    let message = refused(&[("main", MAIN)], &[]);
    assert_eq!(
        message,
        r#"from module "main": cannot resolve import "env" "f" ("env" is a host module, but does not contain "f")"#
    );
}
