//! One module of a plugin.

use arbitrary::Arbitrary;
use wasm_encoder::{
    CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, MemorySection, MemoryType, RefType, StartSection,
    TableSection, TableType, TypeSection,
};
use wasmparser::ValType;

use crate::module::Types;
use crate::name::Name;

#[derive(Arbitrary, Debug)]
pub struct Part {
    pub name: Name,
    pub imports: Vec<Import>,
    pub exports: Vec<(Name, Kind, u8)>,
    pub start: Option<u8>,
}

/// One that is, or could be taken for, one of the host's; or any.
#[derive(Arbitrary, Debug)]
pub enum Import {
    Known(u8),
    Any(Name, Name, Kind),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Kind {
    Function(Type),
    Memory(bool, u8, Option<u8>),
    Table(u8, Option<u8>),
    Global(bool, bool),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Type(u8);

const TYPES: &[(&[ValType], &[ValType])] = &[
    (&[], &[]),
    (&[], &[ValType::I32]),
    (&[], &[ValType::I64]),
    (&[ValType::I64], &[]),
    (&[ValType::I64], &[ValType::I64]),
    (&[ValType::I64], &[ValType::I32]),
    (&[ValType::I64, ValType::I32], &[]),
    (&[ValType::I64, ValType::I64], &[]),
    (&[ValType::I64, ValType::I64], &[ValType::I64]),
    (&[ValType::I32, ValType::I32], &[ValType::I32]),
    (&[ValType::I32], &[]),
    (
        &[ValType::I32, ValType::I32, ValType::I32, ValType::I32],
        &[ValType::I32],
    ),
    (&[ValType::F32, ValType::F64], &[ValType::F64, ValType::F32]),
    (&[ValType::V128], &[]),
    (&[ValType::FUNCREF], &[ValType::EXTERNREF]),
];

/// What the host has, and what it could be taken to have, by the type's index.
const IMPORTS: &[(&str, &str, u8)] = &[
    ("extism:host/env", "alloc", 4),
    ("extism:host/env", "load_u8", 5),
    ("extism:host/env", "store_u8", 6),
    ("extism:host/env", "http_request", 8),
    ("extism:host/env", "get_log_level", 1),
    ("env", "extism_alloc", 4),
    ("env", "extism_input_length", 2),
    ("wasi_snapshot_preview1", "fd_write", 11),
    ("wasi_snapshot_preview1", "poll_oneoff", 11),
    ("wasi_snapshot_preview1", "proc_exit", 10),
    ("extism:host/env", "reset", 0),
    ("extism:host/env", "input_set", 7),
    ("extism:host/env", "output_offset", 2),
    ("env", "extism_reset", 0),
    ("extism:host/circular", "0", 0),
    ("extism:host/user", "serve", 0),
    ("a", "serve", 0),
    ("main", "_start", 0),
];

pub const NOTHING: Type = Type(0);

impl Type {
    fn index(self) -> u32 {
        u32::from(self.0) % TYPES.len() as u32
    }

    pub fn types(self) -> Types {
        let (params, results) = TYPES[self.index() as usize];
        Types::new(params, results)
    }
}

impl Import {
    fn parts(&self) -> (&str, &str, Kind) {
        match self {
            Import::Known(index) => {
                let (module, name, ty) = IMPORTS[usize::from(*index) % IMPORTS.len()];
                (module, name, Kind::Function(Type(ty)))
            }
            Import::Any(module, name, kind) => (module.text(), name.text(), *kind),
        }
    }
}

impl Kind {
    fn entity(self) -> EntityType {
        match self {
            Kind::Function(ty) => EntityType::Function(ty.index()),
            Kind::Memory(memory64, minimum, maximum) => memory(memory64, minimum, maximum).into(),
            Kind::Table(minimum, maximum) => table(minimum, maximum).into(),
            Kind::Global(wide, mutable) => global(wide, mutable).into(),
        }
    }
}

fn memory(memory64: bool, minimum: u8, maximum: Option<u8>) -> MemoryType {
    MemoryType {
        minimum: u64::from(minimum),
        maximum: maximum.map(|maximum| u64::from(maximum.max(minimum))),
        memory64,
        shared: false,
        page_size_log2: None,
    }
}

fn table(minimum: u8, maximum: Option<u8>) -> TableType {
    TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: u64::from(minimum),
        maximum: maximum.map(|maximum| u64::from(maximum.max(minimum))),
        shared: false,
    }
}

fn global(wide: bool, mutable: bool) -> GlobalType {
    GlobalType {
        val_type: if wide {
            wasm_encoder::ValType::I64
        } else {
            wasm_encoder::ValType::I32
        },
        mutable,
        shared: false,
    }
}

fn encoded(types: &[ValType]) -> impl ExactSizeIterator<Item = wasm_encoder::ValType> {
    let types = types
        .iter()
        .map(|ty| wasm_encoder::ValType::try_from(*ty).unwrap());
    types.collect::<Vec<_>>().into_iter()
}

impl Part {
    /// A valid module, but for exports of one name. It has a function of each type, and of
    /// everything else one.
    pub fn encode(&self) -> Vec<u8> {
        let mut types = TypeSection::new();
        for (params, results) in TYPES {
            types.ty().function(encoded(params), encoded(results));
        }
        let mut imports = ImportSection::new();
        for (module, name, kind) in self.imports.iter().map(Import::parts) {
            imports.import(module, name, kind.entity());
        }
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for index in 0..TYPES.len() {
            functions.function(index as u32);
            let mut body = Function::new([]);
            body.instructions().unreachable().end();
            code.function(&body);
        }
        let mut tables = TableSection::new();
        tables.table(table(3, Some(9)));
        let mut memories = MemorySection::new();
        memories.memory(memory(false, 2, self.start.map(|start| start.max(2))));
        let mut globals = GlobalSection::new();
        globals.global(global(false, false), &ConstExpr::i32_const(7));
        globals.global(global(true, true), &ConstExpr::i64_const(7));

        let mut module = wasm_encoder::Module::new();
        module.section(&types).section(&imports).section(&functions);
        module.section(&tables).section(&memories).section(&globals);
        module.section(&self.exports());
        if let Some(start) = self.start {
            module.section(&StartSection {
                function_index: self.start_index(start),
            });
        }
        module.section(&code);
        module.finish()
    }

    fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.imports.iter().map(|import| import.parts().2)
    }

    fn count(&self, is: fn(&Kind) -> bool) -> u32 {
        self.kinds().filter(is).count() as u32
    }

    fn imported_functions(&self) -> u32 {
        self.count(|kind| matches!(kind, Kind::Function(_)))
    }

    /// Of a function without parameters and results: an imported one, or its own.
    fn start_index(&self, choice: u8) -> u32 {
        let functions = self.kinds();
        let plain = functions
            .filter(|kind| matches!(kind, Kind::Function(_)))
            .enumerate()
            .filter(|(_, kind)| matches!(kind, Kind::Function(ty) if ty.index() == 0))
            .map(|(index, _)| index as u32);
        let plain: Vec<_> = plain.chain([self.imported_functions()]).collect();
        plain[usize::from(choice) % plain.len()]
    }

    fn exports(&self) -> ExportSection {
        let mut exports = ExportSection::new();
        for (name, kind, choice) in &self.exports {
            let choice = u32::from(*choice);
            let functions = self.imported_functions();
            let (kind, index) = match kind {
                Kind::Function(ty) if choice < 128 => (ExportKind::Func, functions + ty.index()),
                Kind::Function(_) => (ExportKind::Func, choice % (functions + TYPES.len() as u32)),
                Kind::Memory(..) => {
                    let count = self.count(|kind| matches!(kind, Kind::Memory(..)));
                    (ExportKind::Memory, choice % (count + 1))
                }
                Kind::Table(..) => {
                    let count = self.count(|kind| matches!(kind, Kind::Table(..)));
                    (ExportKind::Table, choice % (count + 1))
                }
                Kind::Global(..) => {
                    let count = self.count(|kind| matches!(kind, Kind::Global(..)));
                    (ExportKind::Global, choice % (count + 2))
                }
            };
            exports.export(name.text(), kind, index);
        }
        exports
    }
}
