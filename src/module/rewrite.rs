//! New sections of imports, memories, tables and exports, and no start section; everything else
//! stays byte for byte.

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    ExportKind, ExportSection, ImportSection, MemorySection, RawSection, SectionId, TableSection,
};
use wasmparser::{MemorySectionReader, Parser, Payload, TableInit, TableSectionReader, TypeRef};

use super::bounds::{self, Bounds};
use super::names::{RESERVED_EXPORTS, START};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The name a module's export has after rewriting.
pub fn exported_name(name: &str) -> &str {
    RESERVED_EXPORTS
        .iter()
        .find(|(reserved, _)| *reserved == name)
        .map_or(name, |(_, renamed)| renamed)
}

/// The names of a module's imports, in its order.
pub fn import_names(bytes: &[u8]) -> Result<Vec<(&str, &str)>> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                let import = import?;
                names.push((import.module, import.name));
            }
        }
    }
    Ok(names)
}

pub fn has_start(bytes: &[u8]) -> Result<bool> {
    for payload in Parser::new(0).parse_all(bytes) {
        if matches!(payload?, Payload::StartSection { .. }) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Rewrites a valid module. `resolve` is asked for each import, by its position, and
/// says where it comes from.
/// Reserved exports get names of ours, and so does the start function. With `memory`, its only
/// memory comes from there.
pub fn rewrite(
    bytes: &[u8],
    memory: Option<(&str, &str)>,
    bounds: &Bounds,
    resolve: impl Fn(usize) -> Option<(String, String)>,
) -> Result<Vec<u8>> {
    let mut module = wasm_encoder::Module::new();
    let mut exports = Some(read_exports(bytes)?);
    let mut own_memory = None;
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::MemorySection(section) = payload? {
            own_memory = section.into_iter().next().transpose()?;
        }
    }
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::ImportSection(section) => {
                let mut imports = ImportSection::new();
                for (position, import) in section.clone().into_imports().enumerate() {
                    let import = import?;
                    let (from, name) = resolve(position)
                        .unwrap_or_else(|| (import.module.to_owned(), import.name.to_owned()));
                    let ty = match import.ty {
                        TypeRef::Memory(ty) => TypeRef::Memory(bounds::memory(ty)),
                        ty => ty,
                    };
                    imports.import(&from, &name, RoundtripReencoder.entity_type(ty)?);
                }
                if let (Some((from, name)), Some(ty)) = (memory, own_memory) {
                    let ty = bounds::memory(ty);
                    imports.import(from, name, RoundtripReencoder.memory_type(ty)?);
                }
                module.section(&imports);
            }
            Payload::ExportSection(_) | Payload::StartSection { .. } => {}
            Payload::MemorySection(_) if memory.is_some() => {}
            Payload::MemorySection(section) => {
                module.section(&memories(section.clone())?);
            }
            Payload::TableSection(section) => {
                module.section(&tables(section.clone(), bounds)?);
            }
            _ => {
                if let Some((id, range)) = payload.as_section() {
                    if comes_after_exports(id)
                        && let Some(exports) = exports.take()
                    {
                        module.section(&exports);
                    }
                    let data = &bytes[range.start as usize..range.end as usize];
                    module.section(&RawSection { id, data });
                }
            }
        }
    }
    if let Some(exports) = exports {
        module.section(&exports);
    }
    Ok(module.finish())
}

fn memories(section: MemorySectionReader<'_>) -> Result<MemorySection> {
    let mut memories = MemorySection::new();
    for ty in section {
        memories.memory(RoundtripReencoder.memory_type(bounds::memory(ty?))?);
    }
    Ok(memories)
}

fn tables(section: TableSectionReader<'_>, bounds: &Bounds) -> Result<TableSection> {
    let mut tables = TableSection::new();
    for table in section {
        let table = table?;
        let ty = RoundtripReencoder.table_type(bounds.table(table.ty))?;
        match table.init {
            TableInit::RefNull => tables.table(ty),
            TableInit::Expr(init) => {
                tables.table_with_init(ty, &RoundtripReencoder.const_expr(init)?)
            }
        };
    }
    Ok(tables)
}

fn read_exports(bytes: &[u8]) -> Result<ExportSection> {
    let mut exports = ExportSection::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    let kind = RoundtripReencoder.export_kind(export.kind)?;
                    exports.export(exported_name(export.name), kind, export.index);
                }
            }
            Payload::StartSection { func, .. } => {
                exports.export(START, ExportKind::Func, func);
            }
            _ => {}
        }
    }
    Ok(exports)
}

fn comes_after_exports(id: u8) -> bool {
    [
        SectionId::Element,
        SectionId::DataCount,
        SectionId::Code,
        SectionId::Data,
    ]
    .iter()
    .any(|section| *section as u8 == id)
}
