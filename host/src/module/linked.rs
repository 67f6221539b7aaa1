//! A plugin's modules after linking: what is instantiated, in which order, and with what.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Interface, Types};
use crate::module_bytes::ModuleBytes;

/// A main module and the modules that it needs, linked to each other and to the host.
#[derive(Debug)]
pub struct LinkedModule {
    /// In the order in which they are instantiated.
    pub units: Vec<Unit>,
    /// The position of the main module in `units`.
    pub main: usize,
    /// The imports and exports of the main module.
    pub interface: Arc<Interface>,
    /// The exports of the main module that can be called.
    pub entry_points: Vec<EntryPoint>,
    /// Positions of the entry points after which an instance cannot be used again (`_start`).
    pub commands: HashSet<usize>,
    /// The host functions that are imported. One function is in this list once for each type
    /// with which it is imported.
    pub host_functions: Vec<Used>,
    /// Whether making an instance runs code of the guest.
    pub has_start: bool,
    /// Whether a module imports `http_request`.
    pub uses_http: bool,
    /// Whether a module imports a function of WASI.
    pub uses_wasi: bool,
    /// How many memories the units define.
    pub memories: u64,
    /// How many pages of 64 KiB these memories have when they are made.
    pub initial_pages: u64,
    /// The slots of trampolines, to be filled as soon as the unit that each one refers to is
    /// instantiated, and before that unit's initializers run. A call through an empty slot
    /// traps.
    pub deferred: Vec<Deferred>,
}

impl LinkedModule {
    /// How many bytes the memories of an instance have when they are made.
    pub fn initial_bytes(&self) -> u64 {
        self.initial_pages.saturating_mul(1 << 16)
    }

    /// Takes the bytes of the units out, which nobody needs once they are compiled.
    pub fn take_bytes(&mut self) -> Vec<ModuleBytes> {
        let units = self.units.iter_mut();
        units.map(|unit| std::mem::take(&mut unit.bytes)).collect()
    }
}

/// A module to be instantiated.
#[derive(Debug)]
pub struct Unit {
    pub name: String,
    pub bytes: ModuleBytes,
    /// One for each import, in the order of the module's imports.
    pub imports: Vec<Source>,
    /// Functions to be called after the unit is instantiated, in this order. The start section
    /// is not among them: instantiating a module runs it.
    pub initializers: Vec<Initializer>,
    /// Whether the unit is not instantiated with the others, but anew for each call of one of
    /// its functions. Other units refer to it by `Source::Command` only.
    pub per_call: bool,
}

/// Where an import comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A function of `extism:host/env`, by its name there (`alloc`, `store_u8`, …). `legacy`:
    /// the module imports it as `env.extism_…`, as plugins of 2023 do.
    Service { name: &'static str, legacy: bool },
    /// A position in [`LinkedModule::host_functions`].
    HostFunction(usize),
    /// A function of WASI preview 1.
    Wasi(String),
    /// An export of an earlier unit, which is instantiated once.
    Export { unit: usize, name: String },
    /// A function of an earlier unit that is `per_call`.
    Command {
        unit: usize,
        name: String,
        types: Types,
    },
}

/// A function that prepares a module for calls. It is called once, with zeros for its
/// parameters; a single `i32` that it returns is an exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initializer {
    pub export: String,
    pub types: Types,
}

/// An exported function of the main module that can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    pub name: String,
    pub types: Types,
}

/// A host function with the type that a module imports it with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Used {
    /// The position among the functions that `link` was given.
    pub function: usize,
    pub types: Types,
}

/// An export that an earlier unit calls through a table, since the two import each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferred {
    /// The unit that exports the table.
    pub trampoline: usize,
    /// The name under which it exports the table.
    pub table: String,
    pub slot: u32,
    /// The unit whose export belongs in the slot.
    pub unit: usize,
    pub export: String,
}
