//! The module around a generated one, when two hosts are compared: it calls functions, and tells
//! what they returned and what they left behind.

use std::fmt::Write;

use wasmparser::{
    ExternalKind, FuncType, GlobalType, MemoryType, Payload, RefType, ValType, Validator,
};

/// As many functions are called, at most.
const CALLED: usize = 8;

#[derive(Default)]
struct Exports {
    functions: Vec<(String, FuncType)>,
    globals: Vec<(String, GlobalType)>,
    memory: Option<(String, MemoryType)>,
}

/// The module around one named `smith`, which exports everything it has. `next` chooses arguments.
pub fn around(bytes: &[u8], mut next: impl FnMut() -> u64) -> Vec<u8> {
    let exports = exports(bytes);
    let (mut imports, mut runs, mut state) = (String::new(), String::new(), String::new());
    for (index, (name, ty)) in exports.functions.iter().take(CALLED).enumerate() {
        let (params, results) = (list(ty.params()), list(ty.results()));
        let arguments = ty.params().iter().map(|ty| argument(*ty, next()));
        let arguments = Vec::from_iter(arguments).join(" ");
        let folds = ty.results().iter().rev().map(|ty| fold(*ty));
        let folds = String::from_iter(folds);
        let _ = writeln!(
            imports,
            "(import \"smith\" {name} (func $f{index} (param {params}) (result {results})))"
        );
        let _ = writeln!(
            runs,
            "(func (export \"run{index}\") (local $v v128)
              (call $begin) (call $f{index} {arguments}) {folds} (call $mix (call $blocks)))"
        );
    }
    for (index, (name, ty)) in exports.globals.iter().enumerate() {
        let content = ty.content_type;
        let _ = writeln!(
            imports,
            "(import \"smith\" {name} (global $g{index} (mut {content})))"
        );
        let _ = write!(state, "(global.get $g{index}) {}", fold(content));
    }
    if let Some((name, ty)) = &exports.memory {
        let maximum = ty.maximum.map(|maximum| maximum.to_string());
        let size = format!("{} {}", ty.initial, maximum.unwrap_or_default());
        let _ = writeln!(imports, "(import \"smith\" {name} (memory {size}))");
        state.push_str(MEMORY);
    }
    let text = format!(
        r#"(module
  (import "slots" "begin" (func $begin))
  (import "slots" "blocks" (func $blocks (result i64)))
  (import "slots" "variables" (func $variables (result i64)))
  (import "slots" "say" (func $say (param i64)))
  {imports}
  (global $sum (mut i64) (i64.const 0))
  (func $mix (param $x i64)
    (global.set $sum
      (i64.mul
        (i64.rotl (i64.xor (global.get $sum) (local.get $x)) (i64.const 29))
        (i64.const 0x9e3779b97f4a7c15))))
  {runs}
  (func (export "state") (local $v v128) (local $at i32) (local $end i32)
    (call $begin)
    (call $mix (call $variables))
    {state}
    (call $say (global.get $sum))))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

const MEMORY: &str = "
    (call $mix (i64.extend_i32_u (memory.size)))
    (local.set $end (i32.shl (memory.size) (i32.const 16)))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (call $mix (i64.load (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))";

fn exports(bytes: &[u8]) -> Exports {
    let types = Validator::new().validate_all(bytes).unwrap();
    let types = types.as_ref();
    let mut found = Exports::default();
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        let Payload::ExportSection(section) = payload.unwrap() else {
            continue;
        };
        for export in section.into_iter().map(Result::unwrap) {
            let name = export.name.bytes().map(|byte| format!("\\{byte:02x}"));
            let name = format!("\"{}\"", String::from_iter(name));
            match export.kind {
                ExternalKind::Func => {
                    let ty = types[types.core_function_at(export.index)].unwrap_func();
                    found.functions.push((name, ty.clone()));
                }
                ExternalKind::Global if types.global_at(export.index).mutable => {
                    found.globals.push((name, types.global_at(export.index)));
                }
                ExternalKind::Memory => found.memory = Some((name, types.memory_at(export.index))),
                _ => {}
            }
        }
    }
    // The last ones are the module's own, those before may be imported ones.
    found.functions.reverse();
    found
}

fn list(types: &[ValType]) -> String {
    Vec::from_iter(types.iter().map(ToString::to_string)).join(" ")
}

/// A constant: small, at a border, or any.
fn argument(ty: ValType, choice: u64) -> String {
    const BORDERS: [i64; 6] = [0, 1, -1, i32::MAX as i64, i32::MIN as i64, i64::MIN];
    let any = (choice >> 8) as i64;
    let number = match choice % 3 {
        0 => any % 20,
        1 => BORDERS[any as usize % BORDERS.len()],
        _ => any,
    };
    match ty {
        ValType::I32 => format!("(i32.const {})", number as i32),
        ValType::I64 => format!("(i64.const {number})"),
        ValType::F32 => format!("(f32.const {number})"),
        ValType::F64 => format!("(f64.const {number})"),
        ValType::V128 => format!("(v128.const i64x2 {number} {any})"),
        ValType::Ref(RefType::EXTERNREF) => "(ref.null extern)".to_owned(),
        ValType::Ref(_) => "(ref.null func)".to_owned(),
    }
}

/// Mixes the value on the stack into the sum.
fn fold(ty: ValType) -> String {
    let number = match ty {
        ValType::I32 => "(i64.extend_i32_u)",
        ValType::I64 => "",
        ValType::F32 => "(i32.reinterpret_f32) (i64.extend_i32_u)",
        ValType::F64 => "(i64.reinterpret_f64)",
        ValType::V128 => {
            "(local.set $v) (call $mix (i64x2.extract_lane 0 (local.get $v)))
            (i64x2.extract_lane 1 (local.get $v))"
        }
        ValType::Ref(_) => "(ref.is_null) (i64.extend_i32_u)",
    };
    format!("{number} (call $mix)\n")
}
