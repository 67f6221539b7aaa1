//! Where the imports of one unit come from. What a guest may import is written anew here: taken
//! from the host it would be wrong together with it.

use wasmparser::ValType::{self, F32, F64, I32, I64};
use wasmparser::{ExternalKind, FuncType, TypeRef};

use crate::linked::{Linking, exported, is};
use crate::module::{Signature, Source, Unit};
use crate::section::{Import, Sections, kind_of};

/// The services of Extism: names, parameters and results.
const SERVICES: &[(&str, &[ValType], &[ValType])] = &[
    ("alloc", &[I64], &[I64]),
    ("free", &[I64], &[]),
    ("length", &[I64], &[I64]),
    ("length_unsafe", &[I64], &[I64]),
    ("load_u8", &[I64], &[I32]),
    ("load_u64", &[I64], &[I64]),
    ("store_u8", &[I64, I32], &[]),
    ("store_u64", &[I64, I64], &[]),
    ("input_offset", &[], &[I64]),
    ("input_length", &[], &[I64]),
    ("input_load_u8", &[I64], &[I32]),
    ("input_load_u64", &[I64], &[I64]),
    ("output_set", &[I64, I64], &[]),
    ("error_set", &[I64], &[]),
    ("error_get", &[], &[I64]),
    ("config_get", &[I64], &[I64]),
    ("var_get", &[I64], &[I64]),
    ("var_set", &[I64, I64], &[]),
    ("http_request", &[I64, I64], &[I64]),
    ("http_status_code", &[], &[I32]),
    ("http_headers", &[], &[I64]),
    ("log_trace", &[I64], &[]),
    ("log_debug", &[I64], &[]),
    ("log_info", &[I64], &[]),
    ("log_warn", &[I64], &[]),
    ("log_error", &[I64], &[]),
    ("get_log_level", &[], &[I32]),
];

pub struct Imports<'a> {
    linking: &'a Linking<'a>,
    position: usize,
    unit: &'a Unit,
}

impl<'a> Imports<'a> {
    pub fn of(linking: &'a Linking, position: usize) -> Self {
        let unit = &linking.linked.units[position];
        Self {
            linking,
            position,
            unit,
        }
    }

    /// Every import has a source, which has what the import asks for.
    pub fn check(&self) {
        let sections = &self.linking.units[self.position];
        assert_eq!(sections.imports.len(), self.unit.imports.len());
        for ((import, types), source) in sections.typed_imports().zip(&self.unit.imports) {
            let fits = match source {
                Source::Service { name, legacy } => self.is_service(import, types, name, *legacy),
                Source::HostFunction(position) => self.is_host_function(import, types, *position),
                Source::Wasi(name) => self.is_wasi(import, types, name),
                Source::Export { unit, .. } | Source::Command { unit, .. }
                    if *unit >= self.position =>
                {
                    false
                }
                Source::Export { unit, name } if self.linking.is_trampoline(*unit) => {
                    self.is_circular(import, types, name)
                }
                Source::Export { unit, name } => {
                    !self.unit_at(*unit).per_call && self.is_export(import, types, *unit, name)
                }
                Source::Command {
                    unit,
                    name,
                    types: said,
                } => {
                    self.is_command(*unit)
                        && types.is_some()
                        && is(exported(&self.linking.units[*unit], name), said)
                        && self.is_export(import, types, *unit, name)
                }
            };
            assert!(fits, "{import:?} of {} is {source:?}", self.unit.name);
        }
    }

    fn unit_at(&self, unit: usize) -> &Unit {
        &self.linking.linked.units[unit]
    }

    fn is_service(
        &self,
        import: &Import,
        types: Option<&FuncType>,
        name: &str,
        legacy: bool,
    ) -> bool {
        let imported = match legacy {
            true => ("env", format!("extism_{name}")),
            false => ("extism:host/env", name.to_owned()),
        };
        let service = SERVICES.iter().find(|service| service.0 == name);
        let (_, params, results) = service.expect("it is a service");
        (import.module.as_str(), &import.name) == (imported.0, &imported.1)
            && types.is_some_and(|types| (types.params(), types.results()) == (*params, *results))
            && self.provider(import).is_none()
            && !self.stands_in(import)
    }

    fn is_host_function(&self, import: &Import, types: Option<&FuncType>, position: usize) -> bool {
        let used = &self.linking.linked.host_functions[position];
        let function = &self.linking.functions[used.function];
        let is_first = self.linking.functions[..used.function]
            .iter()
            .all(|other| !provides(other, import));
        let types = types.expect("it is a function");
        let mut numbers = types.params().iter().chain(types.results());
        is_first
            && provides(function, import)
            && is(types, &used.types)
            && function.types.as_ref().is_none_or(|said| is(types, said))
            && numbers.all(|ty| [I32, I64, F32, F64].contains(ty))
            && self.linking.linked.host_functions[..position]
                .iter()
                .all(|other| other != used)
    }

    fn is_wasi(&self, import: &Import, types: Option<&FuncType>, name: &str) -> bool {
        let results: &[_] = if name == "proc_exit" { &[] } else { &[I32] };
        self.linking.options.wasi
            && import.module == "wasi_snapshot_preview1"
            && import.name == name
            && types.is_some_and(|types| types.results() == results)
    }

    /// A function of the trampoline, which calls one of a later unit, or of this one.
    fn is_circular(&self, import: &Import, types: Option<&FuncType>, name: &str) -> bool {
        let mut deferred = self.linking.linked.deferred.iter();
        let slot = deferred.find(|each| each.slot.to_string() == name).unwrap();
        slot.unit >= self.position
            && slot.export == import.name
            && self.unit_at(slot.unit).name == import.module
            && !self.unit_at(slot.unit).per_call
            && is_function(types, exported(&self.linking.units[0], name))
    }

    fn is_export(
        &self,
        import: &Import,
        types: Option<&FuncType>,
        unit: usize,
        name: &str,
    ) -> bool {
        let provider = &self.linking.units[unit];
        let by_host = self.linking.functions.iter();
        let stands_in = is_user(&import.module);
        self.unit_at(unit).name == import.module
            && import.name == name
            && (!stands_in || !by_host.clone().any(|function| provides(function, import)))
            && fits(provider, import, types)
    }

    /// A module with `_start`, of which nothing is imported but functions.
    fn is_command(&self, unit: usize) -> bool {
        let provider = &self.linking.units[unit];
        self.unit_at(unit).per_call
            && !self.linking.options.runs_commands
            && unit != self.linking.linked.main
            && provider.export("_start").is_some()
    }

    /// The module that this is imported from, unless the host has that name.
    fn provider(&self, import: &Import) -> Option<&[u8]> {
        let modules = &self.linking.originals;
        let provider = modules.get(import.module.as_str());
        provider.copied().filter(|_| !is_user(&import.module))
    }

    /// Whether another module has this, in the host's place.
    fn stands_in(&self, import: &Import) -> bool {
        let provider = self.linking.originals.get(import.module.as_str());
        self.unit.name != import.module
            && provider.is_some_and(|bytes| {
                let sections = Sections::of(bytes, crate::module::FEATURES);
                sections.export(&import.name).is_some()
            })
    }
}

fn is_user(namespace: &str) -> bool {
    ["env", "extism:host/user"].contains(&namespace)
}

fn provides(function: &Signature, import: &Import) -> bool {
    let named = match &function.namespace {
        Some(namespace) => *namespace == import.module,
        None => is_user(&import.module),
    };
    named && function.name == import.name
}

/// Whether an export is of the kind and the size that are imported. Types that refer to others
/// are compared when instances are made.
fn fits(provider: &Sections, import: &Import, types: Option<&FuncType>) -> bool {
    let export = provider.export(&import.name).expect("it is exported");
    let covers = |(has, most): (u64, Option<u64>), (wants, limit): (u64, Option<u64>)| {
        has >= wants && limit.is_none_or(|limit| most.is_some_and(|most| most <= limit))
    };
    export.kind == kind_of(&import.ty)
        && match &import.ty {
            TypeRef::Func(_) | TypeRef::FuncExact(_) => {
                is_function(types, provider.function(export.index))
            }
            TypeRef::Memory(wanted) => {
                let memory = provider.memory(export.index);
                memory.memory64 == wanted.memory64
                    && covers(
                        (memory.initial, memory.maximum),
                        (wanted.initial, wanted.maximum),
                    )
            }
            TypeRef::Table(wanted) => {
                let table = provider.table(export.index);
                covers(
                    (table.initial, table.maximum),
                    (wanted.initial, wanted.maximum),
                )
            }
            TypeRef::Global(wanted) => {
                let global = provider.global(export.index);
                matches!(wanted.content_type, ValType::Ref(_)) || global == *wanted
            }
            TypeRef::Tag(_) => export.kind == ExternalKind::Tag,
        }
}

/// Whether both are the same function, as far as numbers say that.
fn is_function(wanted: Option<&FuncType>, offered: &FuncType) -> bool {
    let is_numeric = |function: &FuncType| {
        let mut types = function.params().iter().chain(function.results());
        types.all(|ty| !matches!(ty, ValType::Ref(_)))
    };
    let wanted = wanted.expect("it is a function");
    wanted == offered || !(is_numeric(wanted) && is_numeric(offered))
}
