//! The types of imports and exports, and how messages spell them.

use std::fmt;
use std::sync::Arc;

use wasmparser::{FuncType, GlobalType, MemoryType, TableType, ValType};

/// An import of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub module: String,
    pub name: String,
    pub kind: Kind,
}

/// An export of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub name: String,
    pub kind: Kind,
}

/// What is imported or exported, and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Function(Types),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    Tag,
}

/// The type of a function. A clone shares the lists: a module of a few megabytes can import a
/// million functions of one type with a thousand parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Types {
    pub params: Arc<[ValType]>,
    pub results: Arc<[ValType]>,
}

impl From<&FuncType> for Types {
    fn from(function: &FuncType) -> Self {
        Self::new(function.params(), function.results())
    }
}

impl Types {
    pub fn new(params: &[ValType], results: &[ValType]) -> Self {
        Self {
            params: params.into(),
            results: results.into(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.params.is_empty() && self.results.is_empty()
    }

    /// Whether a host function can have this type: numbers that JavaScript has.
    pub fn is_plain(&self) -> bool {
        use ValType::{F32, F64, I32, I64};
        self.all(|ty| matches!(ty, I32 | I64 | F32 | F64))
    }

    /// Whether no references are involved.
    pub fn is_numeric(&self) -> bool {
        self.all(|ty| !matches!(ty, ValType::Ref(_)))
    }

    pub fn all(&self, is: impl Fn(&ValType) -> bool) -> bool {
        self.params.iter().chain(self.results.iter()).all(is)
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

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[ValType]| {
            let names: Vec<_> = types.iter().map(ToString::to_string).collect();
            names.join(", ")
        };
        write!(f, "({}) -> ({})", list(&self.params), list(&self.results))
    }
}
