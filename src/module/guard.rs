//! The guard of one plugin: the text beside this file, and around each host function a
//! wrapper after which the guard relies on nothing it knew of the memory.

use std::fmt::Write;

use wasmparser::ValType;

use super::names::FUNCTION;
use super::{Types, text};

const GUARD: &str = include_str!("guard.wat");

/// What a guest imports instead of host function `index`.
pub fn wrapper(index: usize) -> String {
    format!("function {index}")
}

/// The guard's text, with wrappers around these host functions.
pub fn write(functions: &[Types]) -> String {
    let (mut imports, mut wrappers) = (String::new(), String::new());
    for (index, types) in functions.iter().enumerate() {
        let signature = signature(types);
        let arguments: String = (0..types.params.len())
            .map(|param| format!(" (local.get {param})"))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            imports,
            "(import {} {} (func $function{index} {signature}))",
            text::quote(FUNCTION),
            text::quote(&index.to_string()),
        );
        let _ = writeln!(
            wrappers,
            "(func (export {}) {signature} (call $function{index}{arguments}) (call $forget))",
            text::quote(&wrapper(index)),
        );
    }
    GUARD
        .replace(";; host functions: imports", &imports)
        .replace(";; host functions: wrappers", &wrappers)
}

fn signature(types: &Types) -> String {
    let list = |keyword: &str, types: &[ValType]| {
        let names: String = types.iter().map(|ty| format!(" {ty}")).collect();
        format!("({keyword}{names})")
    };
    format!(
        "{} {}",
        list("param", &types.params),
        list("result", &types.results)
    )
}
