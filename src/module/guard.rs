//! The guard of one plugin: the text beside this file, and around each host function a
//! wrapper after which the guard relies on nothing it knew of the memory.

use wasmparser::ValType;

use super::names::FUNCTION;
use super::resolve::Used;
use super::{Types, text};

const GUARD: &str = include_str!("guard.wat");

/// What a guest imports instead of host function `index`.
pub fn wrapper(index: usize) -> String {
    format!("function {index}")
}

/// The guard's text, with wrappers around these host functions, and a limit for blocks.
pub fn write(functions: &[Used], block_pages: Option<u32>) -> String {
    let (mut imports, mut wrappers) = (String::new(), String::new());
    for (index, function) in functions.iter().enumerate() {
        let module = text::quote(FUNCTION);
        let name = text::quote(&index.to_string());
        let export = text::quote(&wrapper(index));
        let (import, body) = match function.lookup {
            true => ("(param i64 i64) (result i64)".to_owned(), lookup(index)),
            false => (signature(&function.types), plain(index, &function.types)),
        };
        let outside = signature(&function.types);
        imports += &format!("(import {module} {name} (func $function{index} {import}))\n");
        wrappers += &format!("(func (export {export}) {outside} {body})\n");
    }
    let limit = block_pages.map_or(-1, |pages| i64::from(pages) << 16);
    GUARD
        .replace("(; limit ;)", &limit.to_string())
        .replace(";; host functions: imports", &imports)
        .replace(";; host functions: wrappers", &wrappers)
}

fn plain(index: usize, types: &Types) -> String {
    let arguments = (0..types.params.len()).map(|param| format!(" (local.get {param})"));
    let arguments: String = arguments.collect();
    format!("(call $function{index}{arguments}) (call $forget)")
}

fn lookup(index: usize) -> String {
    format!("(call $fetch (call $function{index} (local.get 0) (call $length (local.get 0))))")
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
