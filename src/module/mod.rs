//! What a module is before it runs: its imports, exports and start code, read from bytes
//! that nobody trusts, and rewritten so that the runtime never runs or links what it must
//! not. The only place that knows module bytes.

mod bounds;
mod driver;
mod guard;
mod link;
mod names;
mod place;
mod resolve;
mod rewrite;
#[cfg(test)]
mod tests;
mod text;
mod wasi;

use std::collections::{HashMap, VecDeque};

use wasmparser::types::EntityType;
use wasmparser::{FuncType, GlobalType, MemoryType, TableType, ValType, Validator, WasmFeatures};

use crate::error::{Code, Failure};

pub use driver::SERVE;
pub use link::{Blueprint, Rules, link};
pub use names::{FUNCTION, HOST};
pub use resolve::Signature;

/// What modules may use; the compiler is given the same set.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .difference(WasmFeatures::THREADS)
    .difference(WasmFeatures::EXCEPTIONS);

const MAGIC: &[u8] = b"\0asm";

/// A module that passed validation.
#[derive(Debug)]
pub struct Module {
    pub name: String,
    bytes: Vec<u8>,
    pub imports: Vec<Import>,
    pub exports: Vec<Export>,
    has_start: bool,
    /// Those of its own.
    memories: Vec<MemoryType>,
    tables: Vec<TableType>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub module: String,
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Function(Types),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    Tag,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Types {
    pub params: Vec<ValType>,
    pub results: Vec<ValType>,
}

/// To read a text takes fifty times its size.
const MAX_TEXT_BYTES: usize = 16 << 20;

impl Module {
    /// Reads a module in binary or in text form. `name` is what messages call it.
    pub fn read(name: &str, bytes: Vec<u8>) -> Result<Self, Failure> {
        let invalid = |why: String| {
            Failure::new(Code::Module, format!("module \"{name}\" is invalid: {why}"))
        };
        if bytes.is_empty() {
            return Err(invalid("it is empty".to_owned()));
        }
        let bytes = if bytes.starts_with(MAGIC) {
            bytes
        } else if bytes.len() > MAX_TEXT_BYTES && text::is_text(&bytes) {
            let length = bytes.len();
            return Err(invalid(format!(
                "a text of {length} bytes, of which there may be {MAX_TEXT_BYTES}; a binary may have more"
            )));
        } else if text::is_text(&bytes) {
            wat::parse_bytes(&bytes)
                .map_err(|error| invalid(error.to_string()))?
                .into_owned()
        } else {
            return Err(invalid(
                "neither WebAssembly (it does not start with \"\\0asm\") nor its text format"
                    .to_owned(),
            ));
        };
        let types = Validator::new_with_features(FEATURES)
            .validate_all(&bytes)
            .map_err(|error| invalid(error.to_string()))?;
        let types = types.as_ref();
        let kind = |entity: EntityType| match entity {
            EntityType::Func(id) | EntityType::FuncExact(id) => {
                Kind::Function(Types::from(types[id].unwrap_func()))
            }
            EntityType::Table(table) => Kind::Table(table),
            EntityType::Memory(memory) => Kind::Memory(memory),
            EntityType::Global(global) => Kind::Global(global),
            EntityType::Tag(_) => Kind::Tag,
        };
        let (Some(imports), Some(exports)) = (types.core_imports(), types.core_exports()) else {
            return Err(invalid("a component, not a module".to_owned()));
        };
        // The validator has those of one name together, the module has an order.
        let mut types_of = HashMap::<_, VecDeque<_>>::new();
        for (module, name, entity) in imports {
            // A feature that nothing else looks at before it is compiled.
            if let EntityType::FuncExact(_) = entity {
                return Err(invalid(format!(
                    "\"{module}\" \"{name}\" is imported as a function of exactly one type, which is not supported"
                )));
            }
            types_of
                .entry((module, name))
                .or_default()
                .push_back(kind(entity));
        }
        let names = rewrite::import_names(&bytes).map_err(|error| invalid(error.to_string()))?;
        let imports: Vec<_> = names
            .into_iter()
            .filter_map(|(module, name)| {
                let kind = types_of.get_mut(&(module, name))?.pop_front()?;
                Some(Import {
                    module: module.to_owned(),
                    name: name.to_owned(),
                    kind,
                })
            })
            .collect();
        let exports = exports
            .map(|(name, entity)| Export {
                name: name.to_owned(),
                kind: kind(entity),
            })
            .collect();
        let imported = |is: fn(&Kind) -> bool| {
            let imports = imports.iter().filter(|import| is(&import.kind));
            imports.count() as u32
        };
        let memories = imported(|kind| matches!(kind, Kind::Memory(_)))..types.memory_count();
        let tables = imported(|kind| matches!(kind, Kind::Table(_)))..types.table_count();
        Ok(Self {
            has_start: rewrite::has_start(&bytes).map_err(|error| invalid(error.to_string()))?,
            memories: memories.map(|index| types.memory_at(index)).collect(),
            tables: tables.map(|index| types.table_at(index)).collect(),
            name: name.to_owned(),
            bytes,
            imports,
            exports,
        })
    }

    /// Whether it is a command that needs no WASI.
    fn is_plain_command(&self) -> bool {
        let wasi = |import: &Import| import.module == names::WASI;
        self.function(names::START_COMMAND) == Some(&Types::default())
            && !self.imports.iter().any(wasi)
    }

    /// Its memory, if it has one of its own and no other.
    fn memory(&self) -> Option<&MemoryType> {
        let imports = |import: &Import| matches!(import.kind, Kind::Memory(_));
        match &self.memories[..] {
            [memory] if !self.imports.iter().any(imports) => Some(memory),
            _ => None,
        }
    }

    fn function(&self, name: &str) -> Option<&Types> {
        self.exports.iter().find_map(|export| match &export.kind {
            Kind::Function(types) if export.name == name => Some(types),
            _ => None,
        })
    }
}

impl From<&FuncType> for Types {
    fn from(function: &FuncType) -> Self {
        Self {
            params: function.params().to_vec(),
            results: function.results().to_vec(),
        }
    }
}

impl Types {
    pub fn new(params: &[ValType], results: &[ValType]) -> Self {
        Self {
            params: params.to_vec(),
            results: results.to_vec(),
        }
    }

    /// Whether they are what host functions can have.
    fn is_plain(&self) -> bool {
        let plain = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
        let mut types = self.params.iter().chain(&self.results);
        types.all(|ty| plain.contains(ty))
    }

    fn is_numeric(&self) -> bool {
        let numeric = |ty: &ValType| !matches!(ty, ValType::Ref(_));
        self.params.iter().all(numeric) && self.results.iter().all(numeric)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())?;
        match self {
            Kind::Function(types) => write!(f, " {types}"),
            Kind::Table(TableType {
                initial, maximum, ..
            })
            | Kind::Memory(MemoryType {
                initial, maximum, ..
            }) => match maximum {
                Some(maximum) => write!(f, " of {initial} to {maximum}"),
                None => write!(f, " of {initial} or more"),
            },
            Kind::Global(global) => {
                let mutability = if global.mutable { " mutable" } else { "" };
                write!(f, " of{mutability} {}", global.content_type)
            }
            Kind::Tag => Ok(()),
        }
    }
}

impl std::fmt::Display for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |types: &[ValType]| {
            let names: Vec<_> = types.iter().map(ToString::to_string).collect();
            names.join(", ")
        };
        write!(f, "({}) -> ({})", list(&self.params), list(&self.results))
    }
}

impl Kind {
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Function(_) => "function",
            Kind::Table(_) => "table",
            Kind::Memory(_) => "memory",
            Kind::Global(_) => "global",
            Kind::Tag => "tag",
        }
    }
}
