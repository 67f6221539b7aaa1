//! A module as a parser sees it, without any of the code under test.

use wasmparser::types::Types;
use wasmparser::{
    ExternalKind, FuncType, MemoryType, Parser, Payload, TableInit, TableType, TypeRef, Validator,
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
    /// With the code that says what their elements are.
    pub tables: Vec<(TableType, Option<Vec<u8>>)>,
    /// All others, and their bytes.
    pub rest: Vec<(u8, Vec<u8>)>,
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
            rest: Vec::new(),
            types: types.expect("what is linked is valid"),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            sections.add(&payload.unwrap(), bytes);
        }
        sections
    }

    fn add(&mut self, payload: &Payload, bytes: &[u8]) {
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
                self.tables.extend(tables.map(|table| {
                    let code = match table.init {
                        TableInit::RefNull => None,
                        TableInit::Expr(code) => {
                            let range = code.get_binary_reader().range();
                            Some(bytes[range.start as usize..range.end as usize].to_vec())
                        }
                    };
                    (table.ty, code)
                }));
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    let bytes = &bytes[range.start as usize..range.end as usize];
                    self.rest.push((id, bytes.to_vec()));
                }
            }
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
