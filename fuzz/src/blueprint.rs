//! What has to hold for everything that is linked. The lists of what a guest may import are
//! written anew here: taken from the package they would be wrong together.

use std::collections::HashMap;

use wasmparser::{ExternalKind, FuncType, MemoryType, TypeRef, ValType};

use crate::module::{Blueprint, FEATURES, Kind, Rules};
use crate::section::{Import, Sections, kind_of};

const KERNEL: &[&str] = &[
    "load_u8",
    "load_u64",
    "input_offset",
    "input_length",
    "input_load_u8",
    "input_load_u64",
];

const GUARD: &[&str] = &[
    "alloc",
    "free",
    "length",
    "length_unsafe",
    "store_u8",
    "store_u64",
    "output_set",
    "error_set",
    "error_get",
    "config_get",
    "var_get",
    "var_set",
    "http_request",
    "http_headers",
    "log_trace",
    "log_debug",
    "log_info",
    "log_warn",
    "log_error",
];

const HOST: &[&str] = &["http_status_code", "get_log_level"];

/// Checks what became of modules, each given with its name and its bytes.
pub fn check(
    originals: &[(String, Vec<u8>)],
    functions: usize,
    rules: &Rules,
    blueprint: &Blueprint,
) {
    let mut linked = Vec::new();
    let (mut pages, mut elements) = (0, 0);
    let mut places = HashMap::new();
    for (position, (name, bytes)) in blueprint.modules.iter().enumerate() {
        let sections = Sections::of(bytes, FEATURES);
        assert_eq!(sections.start, None, "{name} has start code");
        for reserved in ["_start", "_initialize"] {
            assert!(
                sections.export(reserved).is_none(),
                "{name} exports {reserved}"
            );
        }
        let twice = places.insert(name.as_str(), position);
        assert_eq!(twice, None, "two modules are named {name}");
        linked.push(sections);
    }
    for (position, (name, _)) in blueprint.modules.iter().enumerate() {
        check_imports(position, name, &linked, &places);
        let original = match name.as_str() {
            "extism-napi:guest" => Some("main"),
            "main" => None,
            name if name.starts_with("extism-napi:") => None,
            name => Some(name),
        };
        if let Some(original) = original {
            let (_, bytes) = originals.iter().find(|(name, _)| name == original).unwrap();
            let original = Sections::of(bytes, FEATURES);
            check_guest(&original, &linked[position]);
            pages += initial(original.memories.iter().map(|memory| memory.initial));
            elements += initial(
                linked[position]
                    .tables
                    .iter()
                    .map(|(table, _)| table.maximum.expect("a table may grow without end")),
            );
            check_guest_imports(&linked[position], rules, blueprint, &places);
        }
    }
    let allowed = (
        u128::from(rules.max_pages),
        u128::from(rules.max_table_elements),
    );
    assert!(
        elements <= allowed.1,
        "tables may grow to {elements} elements"
    );
    let growth = u128::from(blueprint.bounds.growth_pages);
    assert_eq!(pages + growth, allowed.0);
    for used in &blueprint.host_functions {
        assert!(used.function < functions);
    }
    check_offers(originals, blueprint);
}

/// What comes from another module is there before it, as what it is wanted as. Only the driver,
/// which the runtime wants under its own name, stands before what it calls.
fn check_imports(position: usize, name: &str, linked: &[Sections], places: &HashMap<&str, usize>) {
    for (import, wanted) in linked[position].typed_imports() {
        let Some(&place) = places.get(import.module.as_str()) else {
            continue;
        };
        assert!(
            place < position || name == "main",
            "{name} comes before {import:?}"
        );
        let export = linked[place].export(&import.name);
        let export = export.unwrap_or_else(|| panic!("nothing provides {import:?} of {name}"));
        assert_eq!(export.kind, kind_of(&import.ty), "{import:?} of {name}");
        if let Some(wanted) = wanted {
            let offered = linked[place].function(export.index);
            let numbers = is_numeric(wanted) && is_numeric(offered);
            assert!(
                !numbers || wanted == offered,
                "{import:?} of {name} is {offered:?}"
            );
        }
    }
}

fn is_numeric(function: &FuncType) -> bool {
    let mut types = function.params().iter().chain(function.results());
    types.all(|ty| !matches!(ty, ValType::Ref(_)))
}

/// A guest has nothing that it is not meant to have.
fn check_guest_imports(
    guest: &Sections,
    rules: &Rules,
    blueprint: &Blueprint,
    places: &HashMap<&str, usize>,
) {
    for import in &guest.imports {
        let name = import.name.as_str();
        let allowed = match import.module.as_str() {
            "extism:host/env" => KERNEL.contains(&name),
            "extism-napi:host" => HOST.contains(&name),
            "extism-napi:guard" => {
                let number = name.strip_prefix("function ");
                let number = number.and_then(|number| number.parse::<usize>().ok());
                GUARD.contains(&name)
                    || (["poll_oneoff", "path_open"].contains(&name) && rules.wasi)
                    || number.is_some_and(|number| number < blueprint.host_functions.len())
            }
            "wasi_snapshot_preview1" => rules.wasi && !["poll_oneoff", "path_open"].contains(&name),
            module if module.starts_with("extism-napi:memory ") => {
                rules.wasi
                    && [
                        "memory",
                        "poll_oneoff",
                        "fd_write",
                        "path_open",
                        "fd_close",
                        "fd_renumber",
                    ]
                    .contains(&name)
            }
            "extism-napi:guest" | "main" => false,
            module => places.contains_key(module) && !module.starts_with("extism-napi:"),
        };
        assert!(allowed, "a guest imports {import:?}");
    }
}

/// Beside the names of its imports, of its start code and of reserved exports, and where its
/// memory is, nothing of a module has changed.
fn check_guest(original: &Sections, linked: &Sections) {
    let mut imports = original.imports.clone();
    let mut memories = original.memories.clone();
    let moved = linked.imports.last().filter(|import| {
        import.module.starts_with("extism-napi:memory ") && import.name == "memory"
    });
    if let Some(moved) = moved {
        assert_eq!(memories.len(), 1);
        let ty = TypeRef::Memory(memories.remove(0));
        imports.push(Import {
            ty,
            ..moved.clone()
        });
    }
    let types = |imports: &[Import]| -> Vec<TypeRef> {
        let types = imports.iter().map(|import| match import.ty {
            TypeRef::Memory(memory) => TypeRef::Memory(widened(memory)),
            ty => ty,
        });
        types.collect()
    };
    let kept: Vec<_> = linked.imports.iter().map(|import| import.ty).collect();
    assert_eq!(kept, types(&imports));
    let memories: Vec<_> = memories.into_iter().map(widened).collect();
    assert_eq!(linked.memories, memories);
    assert_eq!(linked.tables.len(), original.tables.len());
    for ((is, code), (was, before)) in linked.tables.iter().zip(&original.tables) {
        assert_eq!(code, before);
        assert!(
            is.maximum >= Some(is.initial)
                && was.maximum.is_none_or(|most| is.maximum <= Some(most))
        );
        let maximum = is.maximum;
        assert_eq!(*is, wasmparser::TableType { maximum, ..*was });
    }

    let mut exports = original.exports.clone();
    for export in &mut exports {
        if ["_start", "_initialize"].contains(&export.name.as_str()) {
            export.name = format!("extism-napi:{}", export.name);
        }
    }
    let (kept, added) = linked.exports.split_at(exports.len());
    assert_eq!(kept, exports);
    let added: Vec<_> = added
        .iter()
        .map(|added| (added.name.as_str(), added.index))
        .collect();
    let start = original.start.map(|index| ("extism-napi:start", index));
    assert_eq!(added, Vec::from_iter(start));
    assert!(linked.rest == original.rest, "another section has changed");
}

fn initial(sizes: impl Iterator<Item = u64>) -> u128 {
    sizes.map(u128::from).sum()
}

/// The runtime lets no memory grow to what it is declared with.
fn widened(memory: MemoryType) -> MemoryType {
    let most: u64 = if memory.memory64 { 1 << 48 } else { 1 << 16 };
    let maximum = memory.maximum.map(|maximum| most.min(maximum + 1));
    MemoryType { maximum, ..memory }
}

/// What a plugin is said to have is what its main module has.
fn check_offers(originals: &[(String, Vec<u8>)], blueprint: &Blueprint) {
    let (_, bytes) = originals.iter().find(|(name, _)| name == "main").unwrap();
    let main = Sections::of(bytes, FEATURES);
    assert_eq!(blueprint.imports.len(), main.imports.len());
    for ((import, types), said) in main.typed_imports().zip(&blueprint.imports) {
        assert_eq!((&import.module, &import.name), (&said.module, &said.name));
        check_kind(kind_of(&import.ty), types, &said.kind);
    }
    assert_eq!(blueprint.exports.len(), main.exports.len());
    for (export, said) in main.exports.iter().zip(&blueprint.exports) {
        assert_eq!(export.name, said.name);
        let is_function = export.kind == ExternalKind::Func;
        let types = is_function.then(|| main.function(export.index));
        check_kind(export.kind, types, &said.kind);
    }
    for function in &blueprint.functions {
        assert_eq!(main.export(function).unwrap().kind, ExternalKind::Func);
    }
}

fn check_kind(kind: ExternalKind, types: Option<&FuncType>, said: &Kind) {
    match (kind, said) {
        (ExternalKind::Func, Kind::Function(said)) => {
            let types = types.unwrap();
            assert_eq!(
                (types.params(), types.results()),
                (&said.params[..], &said.results[..])
            );
        }
        (ExternalKind::Table, Kind::Table(_))
        | (ExternalKind::Memory, Kind::Memory(_))
        | (ExternalKind::Global, Kind::Global(_))
        | (ExternalKind::Tag, Kind::Tag) => {}
        (kind, said) => panic!("a {kind:?} is said to be a {said}"),
    }
}
