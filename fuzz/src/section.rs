//! A module as a parser sees it, without any of the code under test.

use wasmparser::types::Types;
use wasmparser::{
    ExternalKind, FuncType, GlobalType, MemoryType, Parser, Payload, TableType, TypeRef, Validator,
    WasmFeatures,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub module: String,
    pub name: String,
    pub ty: TypeRef,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub name: String,
    pub kind: ExternalKind,
    pub index: u32,
}

pub struct Sections {
    pub imports: Vec<Import>,
    pub exports: Vec<Export>,
    pub start: Option<u32>,
    pub memories: Vec<MemoryType>,
    pub tables: Vec<TableType>,
    types: Types,
}

impl Sections {
    /// The sections of a module that has to be valid.
    pub fn of(bytes: &[u8], features: WasmFeatures) -> Self {
        let types = Validator::new_with_features(features).validate_all(bytes);
        let mut sections = Self {
            imports: Vec::new(),
            exports: Vec::new(),
            start: None,
            memories: Vec::new(),
            tables: Vec::new(),
            types: types.expect("what is linked is valid"),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            sections.add(&payload.unwrap());
        }
        sections
    }

    fn add(&mut self, payload: &Payload) {
        match payload {
            Payload::ImportSection(reader) => {
                let imports = reader.clone().into_imports().map(Result::unwrap);
                self.imports.extend(imports.map(|import| Import {
                    module: import.module.to_owned(),
                    name: import.name.to_owned(),
                    ty: import.ty,
                }));
            }
            Payload::ExportSection(reader) => {
                let exports = reader.clone().into_iter().map(Result::unwrap);
                self.exports.extend(exports.map(|export| Export {
                    name: export.name.to_owned(),
                    kind: export.kind,
                    index: export.index,
                }));
            }
            Payload::StartSection { func, .. } => self.start = Some(*func),
            Payload::MemorySection(reader) => self
                .memories
                .extend(reader.clone().into_iter().map(Result::unwrap)),
            Payload::TableSection(reader) => {
                let tables = reader.clone().into_iter().map(Result::unwrap);
                self.tables.extend(tables.map(|table| table.ty));
            }
            _ => {}
        }
    }

    pub fn export(&self, name: &str) -> Option<&Export> {
        self.exports.iter().find(|export| export.name == name)
    }

    /// The type of a function by its index, those that are imported first.
    pub fn function(&self, index: u32) -> &FuncType {
        let types = self.types.as_ref();
        self.types[types.core_function_at(index)].unwrap_func()
    }

    pub fn memory(&self, index: u32) -> MemoryType {
        self.types.as_ref().memory_at(index)
    }

    pub fn table(&self, index: u32) -> TableType {
        self.types.as_ref().table_at(index)
    }

    pub fn global(&self, index: u32) -> GlobalType {
        self.types.as_ref().global_at(index)
    }

    /// The imports, and for functions their types.
    pub fn typed_imports(&self) -> impl Iterator<Item = (&Import, Option<&FuncType>)> {
        let mut functions = 0..;
        self.imports.iter().map(move |import| {
            let is_function = matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
            let index = is_function.then(|| functions.next()).flatten();
            (import, index.map(|index| self.function(index)))
        })
    }
}

/// The kind of an export that can be what is imported.
pub fn kind_of(ty: &TypeRef) -> ExternalKind {
    match ty {
        TypeRef::Func(_) | TypeRef::FuncExact(_) => ExternalKind::Func,
        TypeRef::Table(_) => ExternalKind::Table,
        TypeRef::Memory(_) => ExternalKind::Memory,
        TypeRef::Global(_) => ExternalKind::Global,
        TypeRef::Tag(_) => ExternalKind::Tag,
    }
}
