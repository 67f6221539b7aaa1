//! Where the imports of a plugin's modules come from.

use std::collections::HashMap;
use std::rc::Rc;

use wasmparser::ValType;

use super::link::{Rules, linked_name};
use super::names::*;
use super::place::Place;
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
            known: Known::of(modules, functions),
            path: Vec::new(),
            resolved: Self::default(),
        };
        resolver.visit(main)?;
        Ok(resolver.resolved)
    }
}

/// What there is, by name: modules can have a million imports, and as many exports.
struct Known<'a> {
    modules: HashMap<&'a str, usize>,
    exports: Vec<HashMap<&'a str, &'a Kind>>,
    /// Whether a module's memory is shared with what replaces functions of WASI.
    shared: Vec<bool>,
    functions: HashMap<&'a str, Vec<usize>>,
    /// The numbers of the host functions that something imports.
    used: HashMap<Used, usize>,
}

impl<'a> Known<'a> {
    fn of(modules: &'a [Module], functions: &'a [Signature]) -> Self {
        let names = modules.iter().enumerate();
        let exports = |module: &'a Module| {
            let exports = module.exports.iter();
            exports.map(|each| (&*each.name, &each.kind)).collect()
        };
        let shared = modules.iter().map(|module| wasi::shared(module).is_some());
        let mut by_name = HashMap::<_, Vec<_>>::new();
        for (index, function) in functions.iter().enumerate() {
            by_name.entry(&*function.name).or_default().push(index);
        }
        Self {
            modules: names
                .map(|(index, module)| (&*module.name, index))
                .collect(),
            exports: modules.iter().map(exports).collect(),
            shared: shared.collect(),
            functions: by_name,
            used: HashMap::new(),
        }
    }
}

struct Resolver<'a> {
    modules: &'a [Module],
    functions: &'a [Signature],
    rules: &'a Rules,
    known: Known<'a>,
    path: Vec<usize>,
    resolved: Resolved,
}

impl Resolver<'_> {
    fn visit(&mut self, index: usize) -> Result<(), Failure> {
        if self.resolved.order.contains(&index) {
            return Ok(());
        }
        self.path.push(index);
        let path: Rc<[_]> = self.path.as_slice().into();
        for (position, import) in self.modules[index].imports.iter().enumerate() {
            let place = Place {
                modules: self.modules,
                path: path.clone(),
                import,
            };
            let from = self.resolve(index, &place)?;
            self.resolved.renamed.insert((index, position), from);
        }
        self.path.pop();
        self.resolved.order.push(index);
        Ok(())
    }

    /// Where an import comes from, as the runtime is to look for it.
    fn resolve(&mut self, index: usize, place: &Place<'_>) -> Result<(String, String), Failure> {
        let import = place.import;
        if let Some(&provider) = self.known.modules.get(&*import.module) {
            return self.linked(provider, place);
        }
        if import.module.starts_with(OWN) {
            return Err(place.unknown(": that namespace is not for plugins"));
        }
        let named = self
            .known
            .functions
            .get(&*import.name)
            .into_iter()
            .flatten();
        let function = named
            .copied()
            .find(|&function| self.functions[function].answers(import));
        if let Some(function) = function {
            return self.host_function(function, place);
        }
        if import.module == WASI {
            return self.wasi(index, place);
        }
        let service = match import.module.as_str() {
            ENV => Some(import.name.as_str()),
            LEGACY => import.name.strip_prefix(LEGACY_PREFIX),
            _ => None,
        };
        let found =
            service.and_then(|service| ENVIRONMENT.iter().find(|(name, ..)| *name == service));
        if let Some((name, provider, params, results)) = found {
            place.check(&Types::new(params, results))?;
            self.resolved.uses_http |= *name == "http_request";
            return Ok((provider.namespace().to_owned(), (*name).to_owned()));
        }
        if [ENV, LEGACY].contains(&import.module.as_str()) || self.is_host(&import.module) {
            let (namespace, name) = (&import.module, &import.name);
            return Err(place.unknown(&format!(
                " (\"{namespace}\" is a host module, but does not contain \"{name}\")"
            )));
        }
        Err(place.unknown(": not provided by host imports nor linked manifest items"))
    }

    /// From another module of the manifest.
    fn linked(&mut self, provider: usize, place: &Place<'_>) -> Result<(String, String), Failure> {
        let import = place.import;
        if self.path.contains(&provider) {
            let kind = import.kind.name();
            let why = format!("circular imports of type=\"{kind}\" are not supported");
            return Err(place.refuse(&why));
        }
        self.visit(provider)?;
        match self.known.exports[provider].get(&*import.name) {
            None => Err(place.refuse("no export matched request")),
            Some(export) if !fits(export, &import.kind) => {
                let why = format!(
                    "the module wants a {}, the export is a {export}",
                    import.kind
                );
                Err(place.refuse(&why))
            }
            Some(_) => Ok((
                linked_name(&self.modules[provider]).to_owned(),
                exported_name(&import.name).to_owned(),
            )),
        }
    }

    fn host_function(
        &mut self,
        function: usize,
        place: &Place<'_>,
    ) -> Result<(String, String), Failure> {
        let Signature { types, lookup, .. } = &self.functions[function];
        let types = match (types, &place.import.kind) {
            (None, Kind::Function(wanted)) if wanted.is_plain() => wanted.clone(),
            (None, Kind::Function(wanted)) => {
                let why = format!("host functions have numbers only, not {wanted}");
                return Err(place.refuse(&why));
            }
            (types, _) => types.clone().unwrap_or_default(),
        };
        place.check(&types)?;
        let used = Used {
            function,
            types,
            lookup: *lookup,
        };
        let list = &mut self.resolved.used;
        let number = *self.known.used.entry(used).or_insert_with_key(|used| {
            list.push(used.clone());
            list.len() - 1
        });
        Ok((GUARD.to_owned(), guard::wrapper(number)))
    }

    fn wasi(&self, index: usize, place: &Place<'_>) -> Result<(String, String), Failure> {
        let name = &place.import.name;
        if !self.rules.wasi {
            return Err(place.no_wasi());
        }
        if !WASI_FUNCTIONS.contains(&name.as_str()) {
            return Err(place.unknown(" (\"wasi_snapshot_preview1\" does not contain it)"));
        }
        if wasi::replaces(name) {
            place.check(&wasi::types(name))?;
        }
        let from = match wasi::replaces(name) {
            true if self.known.shared[index] => wasi::name(index),
            true if wasi::needs_memory(name) => GUARD.to_owned(),
            _ => WASI.to_owned(),
        };
        Ok((from, name.clone()))
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
