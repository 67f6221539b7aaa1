//! What has to hold for everything that is linked.

use std::collections::{BTreeSet, HashMap};

use wasmparser::{ExternalKind, FuncType, ValType};

use crate::imports::Imports;
use crate::module::{FEATURES, Kind, LinkOptions, LinkedModule, Signature, Source, Types, Unit};
use crate::section::{Sections, kind_of};

/// What was linked, and what became of it.
pub struct Linking<'a> {
    /// The sections of each unit.
    pub units: Vec<Sections>,
    pub linked: &'a LinkedModule,
    /// The modules by name, those that are not needed, too.
    pub originals: HashMap<&'a str, &'a [u8]>,
    pub functions: &'a [Signature],
    pub options: &'a LinkOptions,
}

/// Checks what became of modules, each given with its name and its bytes.
pub fn check(
    originals: &[(String, Vec<u8>)],
    functions: &[Signature],
    options: &LinkOptions,
    linked: &LinkedModule,
) {
    let units = linked.units.iter();
    let linking = Linking {
        units: units
            .map(|unit| Sections::of(unit.bytes.bytes(), FEATURES))
            .collect(),
        linked,
        originals: originals
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect(),
        functions,
        options,
    };
    linking.check_units();
    linking.check_deferred();
    for (position, unit) in linked.units.iter().enumerate() {
        Imports::of(&linking, position).check();
        linking.check_initializers(position, unit);
    }
    linking.check_sums();
    linking.check_interface();
    linking.check_entry_points();
}

impl Linking<'_> {
    /// Whether a unit is the one that was generated, for circular imports.
    pub fn is_trampoline(&self, unit: usize) -> bool {
        unit == 0 && !self.linked.deferred.is_empty()
    }

    /// Each unit is a module as it was given, once, and is needed.
    fn check_units(&self) {
        let mut names = BTreeSet::new();
        let mut needed: BTreeSet<_> = self.linked.units.iter().flat_map(providers).collect();
        needed.extend(self.linked.deferred.iter().map(|each| each.unit));
        needed.insert(self.linked.main);
        for (position, unit) in self.linked.units.iter().enumerate() {
            let name = unit.name.as_str();
            assert!(names.insert(name), "two units are named {name}");
            assert!(needed.contains(&position), "nobody needs {name}");
            match self.is_trampoline(position) {
                true => assert!(!self.originals.contains_key(name)),
                false => assert!(self.originals[name] == unit.bytes.bytes(), "{name}"),
            }
        }
        assert_eq!(self.linked.units[self.linked.main].name, "main");
    }

    /// Each slot of the trampoline's table is filled once, with what its function calls.
    fn check_deferred(&self) {
        let mut slots = BTreeSet::new();
        for deferred in &self.linked.deferred {
            assert_eq!(deferred.trampoline, 0);
            assert!(slots.insert(deferred.slot), "{deferred:?} is there twice");
            let trampoline = &self.units[0];
            let table = trampoline.export(&deferred.table).unwrap();
            assert_eq!(table.kind, ExternalKind::Table);
            assert!(u64::from(deferred.slot) < trampoline.tables[0].initial);
            let calls = exported(trampoline, &deferred.slot.to_string());
            let called = exported(&self.units[deferred.unit], &deferred.export);
            assert_eq!(calls, called, "{deferred:?}");
        }
        if let Some(trampoline) = self.units.first().filter(|_| self.is_trampoline(0)) {
            assert!(trampoline.imports.is_empty());
            assert_eq!(trampoline.exports.len(), slots.len() + 1);
        }
    }

    /// Initializers are functions that the unit exports, each of them once.
    fn check_initializers(&self, position: usize, unit: &Unit) {
        let mut names = BTreeSet::new();
        for initializer in &unit.initializers {
            let name = initializer.export.as_str();
            assert!(names.insert(name), "{name} is called twice");
            assert!(is(
                exported(&self.units[position], name),
                &initializer.types
            ));
            let is_main = position == self.linked.main;
            let numbers = initializer.types.params.len();
            let allowed = match name {
                "_initialize" => numbers == 0,
                "__wasm_call_ctors" => numbers == 0 && is_main,
                "hs_init" => numbers == 2 && is_main,
                "_start" => numbers == 0 && self.options.runs_commands,
                _ => false,
            };
            assert!(allowed, "{initializer:?} of {}", unit.name);
        }
    }

    /// What the units have together, and whether that is allowed.
    fn check_sums(&self) {
        let memories = || self.units.iter().flat_map(|unit| &unit.memories);
        let tables = self.units.iter().flat_map(|unit| &unit.tables);
        let pages = sum(memories().map(|memory| memory.initial));
        assert_eq!(u128::from(self.linked.initial_pages), pages);
        assert_eq!(self.linked.memories, memories().count() as u64);
        assert!(pages <= u128::from(self.options.max_pages));
        let elements = sum(tables.map(|table| table.initial));
        assert!(elements <= u128::from(self.options.max_table_elements));

        let sources = || self.linked.units.iter().flat_map(|unit| &unit.imports);
        let wasi = sources().any(|source| matches!(source, Source::Wasi(_)));
        let is_http = |source: &Source| matches!(source, Source::Service { name, .. } if *name == "http_request");
        assert_eq!(self.linked.uses_wasi, wasi);
        assert_eq!(self.linked.uses_http, sources().any(is_http));
        let mut units = self.linked.units.iter().zip(&self.units);
        let has_start =
            units.any(|(unit, sections)| sections.start.is_some() || !unit.initializers.is_empty());
        assert_eq!(self.linked.has_start, has_start);
    }

    /// What a plugin is said to import and export is what its main module does.
    fn check_interface(&self) {
        let main = &self.units[self.linked.main];
        assert_eq!(self.linked.interface.imports.len(), main.imports.len());
        for ((import, types), said) in main.typed_imports().zip(&self.linked.interface.imports) {
            assert_eq!((&import.module, &import.name), (&said.module, &said.name));
            check_kind(kind_of(&import.ty), types, &said.kind);
        }
        assert_eq!(self.linked.interface.exports.len(), main.exports.len());
        for (export, said) in main.exports.iter().zip(&self.linked.interface.exports) {
            assert_eq!(export.name, said.name);
            let is_function = export.kind == ExternalKind::Func;
            let types = is_function.then(|| main.function(export.index));
            check_kind(export.kind, types, &said.kind);
        }
    }

    /// What can be called is every export with a type that calls can have.
    fn check_entry_points(&self) {
        use ValType::{F32, F64, I32, I64};
        let main = &self.units[self.linked.main];
        let is_callable = |function: &FuncType| match self.options.any_signature {
            true => {
                let mut types = function.params().iter().chain(function.results());
                types.all(|ty| [I32, I64, F32, F64].contains(ty))
            }
            false => function.params().is_empty() && matches!(function.results(), [] | [I32]),
        };
        let exports = main.exports.iter();
        let functions = exports.filter(|export| export.kind == ExternalKind::Func);
        let callable: Vec<_> = functions
            .filter(|export| is_callable(main.function(export.index)))
            .collect();
        assert_eq!(self.linked.entry_points.len(), callable.len());
        for (position, (said, export)) in self.linked.entry_points.iter().zip(callable).enumerate()
        {
            assert_eq!(said.name, export.name);
            assert!(is(main.function(export.index), &said.types));
            let is_command = self.linked.commands.contains(&position);
            assert_eq!(is_command, said.name == "_start");
        }
    }
}

/// The units that a unit imports from.
fn providers(unit: &Unit) -> impl Iterator<Item = usize> {
    unit.imports.iter().filter_map(|source| match source {
        Source::Export { unit, .. } | Source::Command { unit, .. } => Some(*unit),
        _ => None,
    })
}

/// The type of an exported function.
pub fn exported<'a>(sections: &'a Sections, name: &str) -> &'a FuncType {
    let export = sections.export(name);
    let export = export.unwrap_or_else(|| panic!("nothing exports {name}"));
    assert_eq!(export.kind, ExternalKind::Func, "{name}");
    sections.function(export.index)
}

pub fn is(function: &FuncType, said: &Types) -> bool {
    (function.params(), function.results()) == (&said.params[..], &said.results[..])
}

fn sum(sizes: impl Iterator<Item = u64>) -> u128 {
    sizes.map(u128::from).sum()
}

fn check_kind(kind: ExternalKind, types: Option<&FuncType>, said: &Kind) {
    match (kind, said) {
        (ExternalKind::Func | ExternalKind::FuncExact, Kind::Function(said)) => {
            assert!(is(types.unwrap(), said));
        }
        (ExternalKind::Table, Kind::Table(_))
        | (ExternalKind::Memory, Kind::Memory(_))
        | (ExternalKind::Global, Kind::Global(_))
        | (ExternalKind::Tag, Kind::Tag) => {}
        (kind, said) => panic!("a {kind:?} is said to be a {said}"),
    }
}
