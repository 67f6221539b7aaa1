//! Where the imports of a plugin's modules come from.

use std::collections::HashMap;

use wasmparser::ValType;

use super::link::{Rules, fail, linked_name};
use super::names::*;
use super::rewrite::exported_name;
use super::{Import, Kind, Module, Types, guard, wasi};
use crate::error::Failure;

/// A host function as the linker sees it.
pub struct Signature {
    /// `None`: where guests of either era look for it.
    pub namespace: Option<String>,
    pub name: String,
    /// `None`: those of whoever imports it.
    pub types: Option<Types>,
    /// It finds a value for a key, and the guard does the rest.
    pub lookup: bool,
}

impl Signature {
    fn answers(&self, import: &Import) -> bool {
        self.name == import.name
            && match &self.namespace {
                Some(namespace) => *namespace == import.module,
                None => import.module == USER || import.module == LEGACY,
            }
    }
}

/// A host function as some module imports it.
#[derive(Debug, PartialEq, Eq)]
pub struct Used {
    /// Its position among those that were offered.
    pub function: usize,
    pub types: Types,
    pub lookup: bool,
}

/// What the main module needs, and where each import of that comes from.
#[derive(Default)]
pub struct Resolved {
    /// The modules, each after what it imports from.
    pub order: Vec<usize>,
    pub uses_http: bool,
    /// The host functions that something imports.
    pub used: Vec<Used>,
    /// Per module and the position of an import, where that comes from after linking.
    pub renamed: HashMap<(usize, usize), (String, String)>,
}

impl Resolved {
    pub fn of(
        modules: &[Module],
        main: usize,
        functions: &[Signature],
        rules: &Rules,
    ) -> Result<Self, Failure> {
        let mut resolver = Resolver {
            modules,
            functions,
            rules,
            path: Vec::new(),
            resolved: Self::default(),
        };
        resolver.visit(main)?;
        Ok(resolver.resolved)
    }
}

struct Resolver<'a> {
    modules: &'a [Module],
    functions: &'a [Signature],
    rules: &'a Rules,
    path: Vec<usize>,
    resolved: Resolved,
}

impl Resolver<'_> {
    fn visit(&mut self, index: usize) -> Result<(), Failure> {
        if self.resolved.order.contains(&index) {
            return Ok(());
        }
        self.path.push(index);
        for (position, import) in self.modules[index].imports.iter().enumerate() {
            let from = self.resolve(index, import)?;
            self.resolved.renamed.insert((index, position), from);
        }
        self.path.pop();
        self.resolved.order.push(index);
        Ok(())
    }

    /// Where an import comes from, as the runtime is to look for it.
    fn resolve(&mut self, index: usize, import: &Import) -> Result<(String, String), Failure> {
        let path = self.path.iter();
        let path = path.map(|&index| format!("\"{}\"", self.modules[index].name));
        let path = path.collect::<Vec<_>>().join("/");
        let wanted = format!("\"{}\" \"{}\"", import.module, import.name);
        let from = |why: String| fail(format!("from module {path}: {why}"));
        let refuse = |why: String| from(format!("cannot import {wanted}; {why}"));
        let unknown = |why: &str| from(format!("cannot resolve import {wanted}{why}"));
        let check = |types: &Types| match &import.kind {
            Kind::Function(wanted) if wanted == types => Ok(()),
            Kind::Function(wanted) => Err(refuse(format!(
                "the module wants {wanted}, the host has {types}"
            ))),
            kind => Err(from(format!(
                "in import {wanted}, \"{}\"-typed host imports are not supported yet",
                kind.name()
            ))),
        };
        if let Some(provider) = self
            .modules
            .iter()
            .position(|module| module.name == import.module)
        {
            if self.path.contains(&provider) {
                let kind = import.kind.name();
                return Err(refuse(format!(
                    "circular imports of type=\"{kind}\" are not supported"
                )));
            }
            self.visit(provider)?;
            let provider = &self.modules[provider];
            return match provider
                .exports
                .iter()
                .find(|export| export.name == import.name)
            {
                None => Err(refuse("no export matched request".to_owned())),
                Some(export) if !fits(&export.kind, &import.kind) => Err(refuse(format!(
                    "the module wants a {}, the export is a {}",
                    import.kind, export.kind
                ))),
                Some(_) => Ok((
                    linked_name(provider).to_owned(),
                    exported_name(&import.name).to_owned(),
                )),
            };
        }
        if import.module.starts_with(OWN) {
            return Err(unknown(": that namespace is not for plugins"));
        }
        let function = self
            .functions
            .iter()
            .position(|function| function.answers(import));
        if let Some(function) = function {
            let Signature { types, lookup, .. } = &self.functions[function];
            let types = match (types, &import.kind) {
                (None, Kind::Function(wanted)) if wanted.is_plain() => wanted.clone(),
                (None, Kind::Function(wanted)) => {
                    return Err(refuse(format!(
                        "host functions have numbers only, not {wanted}"
                    )));
                }
                (types, _) => types.clone().unwrap_or_default(),
            };
            check(&types)?;
            let used = Used {
                function,
                types,
                lookup: *lookup,
            };
            let known = &mut self.resolved.used;
            let number = known
                .iter()
                .position(|other| *other == used)
                .unwrap_or_else(|| {
                    known.push(used);
                    known.len() - 1
                });
            return Ok((GUARD.to_owned(), guard::wrapper(number)));
        }
        if import.module == WASI {
            if !self.rules.wasi {
                return Err(fail(format!(
                    "WASI is not enabled; see the \"useWasi\" plugin option (from module {path}: import {wanted})"
                )));
            }
            if !WASI_FUNCTIONS.contains(&import.name.as_str()) {
                return Err(unknown(" (\"wasi_snapshot_preview1\" does not contain it)"));
            }
            let from = match wasi::replaces(&import.name) {
                true if wasi::shared(&self.modules[index]).is_some() => wasi::name(index),
                true if import.name == wasi::POLL => GUARD.to_owned(),
                _ => import.module.clone(),
            };
            return Ok((from, import.name.clone()));
        }
        let service = match import.module.as_str() {
            ENV => Some(import.name.as_str()),
            LEGACY => import.name.strip_prefix(LEGACY_PREFIX),
            _ => None,
        };
        let found =
            service.and_then(|service| ENVIRONMENT.iter().find(|(name, ..)| *name == service));
        if let Some((name, provider, params, results)) = found {
            check(&Types::new(params, results))?;
            self.resolved.uses_http |= *name == "http_request";
            return Ok((provider.namespace().to_owned(), (*name).to_owned()));
        }
        if [ENV, LEGACY].contains(&import.module.as_str()) || self.is_host(&import.module) {
            let namespace = &import.module;
            return Err(unknown(&format!(
                " (\"{namespace}\" is a host module, but does not contain \"{}\")",
                import.name
            )));
        }
        Err(unknown(
            ": not provided by host imports nor linked manifest items",
        ))
    }

    /// Whether a host function is in this namespace.
    fn is_host(&self, namespace: &str) -> bool {
        let mut functions = self.functions.iter();
        functions.any(|function| function.namespace.as_deref() == Some(namespace))
    }
}

/// Whether an export can be what an import wants. Of reference types and the like the runtime
/// knows more.
fn fits(export: &Kind, import: &Kind) -> bool {
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

/// Whether a size and its maximum are what an import wants.
fn covers(export: (u64, Option<u64>), import: (u64, Option<u64>)) -> bool {
    let within = |wanted| export.1.is_some_and(|maximum| maximum <= wanted);
    export.0 >= import.0 && import.1.is_none_or(within)
}
