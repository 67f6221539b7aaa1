//! Imports of WASI.

use wasmtime::{Engine, Extern, Linker, Store, ValType as Type};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::{WasiP1Ctx, add_to_linker_async};

use super::super::abi;
use super::*;

const WASI: LinkOptions = LinkOptions {
    wasi: true,
    max_pages: u32::MAX,
    max_table_elements: u32::MAX,
    runs_commands: false,
    any_signature: false,
};

fn import(name: &str, types: &str) -> String {
    format!(r#"(import "wasi_snapshot_preview1" "{name}" (func {types}))"#)
}

#[test]
fn are_refused_where_wasi_is_not_enabled() {
    let import = import("proc_exit", "(param i32)");
    assert_eq!(
        refused(&[("main", &import)], &[]),
        r#"WASI is not enabled; see the "useWasi" plugin option (from module "main": import "wasi_snapshot_preview1" "proc_exit")"#
    );
    assert!(!linked(&[("main", "")]).uses_wasi);
}

#[test]
fn are_there_with_their_types() {
    let fits = import("fd_seek", "(param i32 i64 i32 i32) (result i32)");
    let linked = link(manifest(&[("main", &fits)]), &[], &WASI).unwrap();
    assert_eq!(
        linked.units[0].imports,
        [Source::Wasi("fd_seek".to_owned())]
    );
    assert!(linked.uses_wasi);
    for (text, why) in [
        (
            import("fd_seek", "(param i32)"),
            "the module wants (i32) -> (), the host has (i32, i64, i32, i32) -> (i32)",
        ),
        (import("nonsense", ""), "does not contain it"),
        (
            r#"(import "wasi_snapshot_preview1" "fd_seek" (memory 1))"#.to_owned(),
            "\"memory\"-typed host imports are not supported yet",
        ),
    ] {
        let message = refused_with(&[("main", &text)], &[], &WASI).message;
        assert!(message.contains(why), "{message}");
    }
}

#[test]
fn are_those_that_wasmtime_has() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, WasiCtxBuilder::new().build_p1());
    let mut linker = Linker::<WasiP1Ctx>::new(&engine);
    add_to_linker_async(&mut linker, |context| context).unwrap();
    let functions: Vec<_> = linker
        .iter(&mut store)
        .filter(|(module, ..)| *module == abi::WASI)
        .map(|(_, name, function)| (name.to_owned(), function))
        .collect();
    assert_eq!(functions.len(), WASI_FUNCTIONS.len());
    for (name, function) in functions {
        let Extern::Func(function) = function else {
            panic!("{name}");
        };
        let list = |types: &mut dyn Iterator<Item = Type>| {
            let types = types.map(|ty| match ty {
                Type::I32 => ValType::I32,
                Type::I64 => ValType::I64,
                other => panic!("{name} {other}"),
            });
            types.collect::<Vec<_>>()
        };
        let ty = function.ty(&store);
        let expected = Types::new(&list(&mut ty.params()), &list(&mut ty.results()));
        assert_eq!(abi::wasi(&name), Some(expected), "{name}");
    }
}
