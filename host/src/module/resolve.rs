//! Where the imports of a plugin's modules come from.

use std::collections::HashMap;
use std::rc::Rc;

use super::abi::{self, ENV, WASI};
use super::command::per_call;
use super::fits::fits;
use super::import_site::ImportSite;
use super::trampoline::Trampoline;
use super::{Import, Kind, LinkOptions, Module, Source, Types, Used};
use crate::error::Failure;

/// A host function as the linker sees it.
pub struct Signature {
    /// `None`: the namespaces that either ABI of Extism has for host functions.
    pub namespace: Option<String>,
    pub name: String,
    /// `None`: the type that a module imports it with, whatever numbers that has.
    pub types: Option<Types>,
}

impl Signature {
    fn provides(&self, import: &Import) -> bool {
        self.name == import.name
            && match &self.namespace {
                Some(namespace) => *namespace == import.module,
                None => abi::is_user(&import.module),
            }
    }
}

/// The modules that the main module needs, and where their imports come from.
#[derive(Default)]
pub struct Resolved {
    /// The modules, each after those that it imports from, except where that is a circle.
    pub order: Vec<usize>,
    /// The sources of each module's imports. Where a [`Source`] refers to a unit, this is still
    /// the position of a module, or [`TRAMPOLINE`].
    pub sources: HashMap<usize, Vec<Source>>,
    /// The modules of which each call has a fresh instance.
    pub per_call: Vec<bool>,
    pub trampoline: Trampoline,
    pub used: Vec<Used>,
    pub uses_http: bool,
    pub uses_wasi: bool,
}

/// Stands for the trampoline among the positions of modules.
pub const TRAMPOLINE: usize = usize::MAX;

impl Resolved {
    pub fn of(
        modules: &[Module],
        main: usize,
        functions: &[Signature],
        options: &LinkOptions,
    ) -> Result<Self, Failure> {
        let mut resolver = Resolver {
            modules,
            functions,
            options,
            index: Index::of(modules, functions),
            visits: vec![Visit::None; modules.len()],
            path: Vec::new(),
            resolved: Self {
                per_call: per_call(modules, main, options),
                ..Self::default()
            },
        };
        resolver.visit(main)?;
        Ok(resolver.resolved)
    }
}

/// Modules, exports and host functions by name: a module can have a million imports.
struct Index<'a> {
    modules: HashMap<&'a str, usize>,
    exports: Vec<HashMap<&'a str, &'a Kind>>,
    functions: HashMap<&'a str, Vec<usize>>,
    /// The positions of the host functions that were imported so far.
    used: HashMap<Used, usize>,
}

impl<'a> Index<'a> {
    fn of(modules: &'a [Module], functions: &'a [Signature]) -> Self {
        let names = modules.iter().enumerate();
        let exports = |module: &'a Module| {
            let exports = module.exports.iter();
            exports.map(|each| (&*each.name, &each.kind)).collect()
        };
        let mut by_name = HashMap::<_, Vec<_>>::new();
        for (position, function) in functions.iter().enumerate() {
            by_name.entry(&*function.name).or_default().push(position);
        }
        Self {
            modules: names
                .map(|(position, module)| (&*module.name, position))
                .collect(),
            exports: modules.iter().map(exports).collect(),
            functions: by_name,
            used: HashMap::new(),
        }
    }
}

/// How far the imports of a module are resolved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    None,
    /// They are being resolved now: the module is on the path.
    Open,
    Done,
}

struct Resolver<'a> {
    modules: &'a [Module],
    functions: &'a [Signature],
    options: &'a LinkOptions,
    index: Index<'a>,
    visits: Vec<Visit>,
    /// From the main module to the one whose imports are being resolved.
    path: Vec<usize>,
    resolved: Resolved,
}

impl Resolver<'_> {
    fn visit(&mut self, module: usize) -> Result<(), Failure> {
        if self.visits[module] != Visit::None {
            return Ok(());
        }
        self.visits[module] = Visit::Open;
        self.path.push(module);
        let path: Rc<[_]> = self.path.as_slice().into();
        let mut sources = Vec::with_capacity(self.modules[module].imports.len());
        for import in &self.modules[module].imports {
            let site = ImportSite {
                modules: self.modules,
                path: path.clone(),
                import,
            };
            sources.push(self.resolve(module, &site)?);
        }
        self.resolved.sources.insert(module, sources);
        self.path.pop();
        self.visits[module] = Visit::Done;
        self.resolved.order.push(module);
        Ok(())
    }

    fn resolve(&mut self, module: usize, site: &ImportSite<'_>) -> Result<Source, Failure> {
        let import = site.import;
        let provider = self.index.modules.get(&*import.module).copied();
        let stands_in = abi::is_user(&import.module);
        if let Some(provider) = provider
            && !stands_in
        {
            return self.linked(provider, site);
        }
        if let Some(function) = self.find_function(import) {
            return self.host_function(function, site);
        }
        // A module that stands in for host functions can wrap what the host has under the same
        // names, so it does not import from itself.
        let provider = provider.filter(|&provider| provider != module);
        if let Some(provider) = provider
            && self.index.exports[provider].contains_key(&*import.name)
        {
            return self.linked(provider, site);
        }
        if import.module == WASI {
            return self.wasi(site);
        }
        if let Some((&(name, params, results), legacy)) = abi::service(&import.module, &import.name)
        {
            site.check(&Types::new(params, results))?;
            self.resolved.uses_http |= name == "http_request";
            return Ok(Source::Service { name, legacy });
        }
        if let Some(provider) = provider {
            return self.linked(provider, site);
        }
        if import.module == ENV || import.module == abi::LEGACY || self.is_host(&import.module) {
            let (namespace, name) = (&import.module, &import.name);
            return Err(site.unknown(&format!(
                " (\"{namespace}\" is a host module, but does not contain \"{name}\")"
            )));
        }
        Err(site.unknown(": not provided by host imports nor linked manifest items"))
    }

    /// From another module of the manifest.
    fn linked(&mut self, provider: usize, site: &ImportSite<'_>) -> Result<Source, Failure> {
        let import = site.import;
        let is_circular = self.visits[provider] == Visit::Open;
        if is_circular && !matches!(import.kind, Kind::Function(_)) {
            return Err(site.circular());
        }
        self.visit(provider)?;
        let export = match self.index.exports[provider].get(&*import.name) {
            None => return Err(site.refuse("no export matched request")),
            Some(export) if !fits(export, &import.kind) => {
                let why = format!(
                    "the module wants a {}, the export is a {export}",
                    import.kind
                );
                return Err(site.refuse(&why));
            }
            Some(&export) => export,
        };
        let (unit, name) = (provider, import.name.clone());
        match export {
            // A fresh instance for each call would have to be made of imports that are not
            // there yet.
            Kind::Function(_) if is_circular && self.resolved.per_call[provider] => {
                Err(site.circular())
            }
            Kind::Function(types) if is_circular => {
                let trampoline = &mut self.resolved.trampoline;
                let function = trampoline.function(provider, &name, types);
                let name = function.ok_or_else(|| site.circular())?;
                let unit = TRAMPOLINE;
                Ok(Source::Export { unit, name })
            }
            Kind::Function(types) if self.resolved.per_call[provider] => {
                let types = types.clone();
                Ok(Source::Command { unit, name, types })
            }
            _ => Ok(Source::Export { unit, name }),
        }
    }

    fn find_function(&self, import: &Import) -> Option<usize> {
        let named = self.index.functions.get(&*import.name)?.iter().copied();
        let mut provide = named.filter(|&function| self.functions[function].provides(import));
        provide.next()
    }

    fn host_function(&mut self, function: usize, site: &ImportSite<'_>) -> Result<Source, Failure> {
        let types = match (&self.functions[function].types, &site.import.kind) {
            (None, Kind::Function(wanted)) if wanted.is_plain() => wanted.clone(),
            (None, Kind::Function(wanted)) => {
                let why = format!("host functions have numbers only, not {wanted}");
                return Err(site.refuse(&why));
            }
            (types, _) => types.clone().unwrap_or_default(),
        };
        site.check(&types)?;
        let list = &mut self.resolved.used;
        let used = self.index.used.entry(Used { function, types });
        let position = used.or_insert_with_key(|used| {
            list.push(used.clone());
            list.len() - 1
        });
        Ok(Source::HostFunction(*position))
    }

    fn wasi(&mut self, site: &ImportSite<'_>) -> Result<Source, Failure> {
        let name = &site.import.name;
        if !self.options.wasi {
            return Err(site.no_wasi());
        }
        let types = abi::wasi(name)
            .ok_or_else(|| site.unknown(" (\"wasi_snapshot_preview1\" does not contain it)"))?;
        site.check(&types)?;
        self.resolved.uses_wasi = true;
        Ok(Source::Wasi(name.clone()))
    }

    /// Whether a host function is in this namespace.
    fn is_host(&self, namespace: &str) -> bool {
        let mut functions = self.functions.iter();
        functions.any(|function| function.namespace.as_deref() == Some(namespace))
    }
}
