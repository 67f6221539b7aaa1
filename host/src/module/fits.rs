//! Whether an export can be what an import wants.

use wasmparser::ValType;

use super::Kind;

/// Only what is certain is refused here, before anything is compiled. Whether reference types
/// are subtypes of each other is checked when the modules are instantiated.
pub fn fits(export: &Kind, import: &Kind) -> bool {
    match (export, import) {
        (Kind::Function(export), Kind::Function(import)) => {
            export == import || !(export.is_numeric() && import.is_numeric())
        }
        (Kind::Table(export), Kind::Table(import)) => covers(
            (export.initial, export.maximum),
            (import.initial, import.maximum),
        ),
        (Kind::Memory(export), Kind::Memory(import)) => {
            export.memory64 == import.memory64
                && covers(
                    (export.initial, export.maximum),
                    (import.initial, import.maximum),
                )
        }
        (Kind::Global(export), Kind::Global(import)) => {
            let known = !matches!(import.content_type, ValType::Ref(_));
            !known || export == import
        }
        (export, import) => export.name() == import.name(),
    }
}

/// Whether a size and its maximum are within what an import wants.
fn covers(export: (u64, Option<u64>), import: (u64, Option<u64>)) -> bool {
    let within = |wanted| export.1.is_some_and(|maximum| maximum <= wanted);
    export.0 >= import.0 && import.1.is_none_or(within)
}
