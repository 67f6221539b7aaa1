//! How the modules of one manifest and the host functions fit together, decided before
//! anything is compiled.

use std::collections::HashSet;

use wasmparser::ValType::I32;

use super::bounds::Bounds;
use super::driver::{self, Entry};
use super::names::*;
use super::resolve::{Resolved, Signature, Used};
use super::rewrite::{exported_name, rewrite};
use super::{Export, Import, Kind, Module, Types, guard, wasi};
use crate::error::{Code, Failure};

/// What an instance is made of: modules for the runtime, in the order given, and what they
/// offer.
#[derive(Debug)]
pub struct Blueprint {
    pub modules: Vec<(String, Vec<u8>)>,
    pub imports: Vec<Import>,
    pub exports: Vec<Export>,
    /// The exports that can be called, by name; entry `initializers + i` of the driver.
    pub functions: Vec<String>,
    /// How many of the driver's first entries run once, before the first call.
    pub initializers: usize,
    /// The functions after which an instance is used up.
    pub commands: HashSet<usize>,
    /// The host functions that something imports, by their number.
    pub host_functions: Vec<Used>,
    /// Whether a guest may make HTTP requests.
    pub uses_http: bool,
    pub bounds: Bounds,
}

impl Blueprint {
    /// About what it costs in memory: its code, and what its guests start with.
    pub fn bytes(&self) -> u64 {
        let modules = self.modules.iter().map(|(_, bytes)| bytes.len() as u64);
        let memory = self.bounds.initial_pages.saturating_mul(1 << 16);
        modules.sum::<u64>().saturating_add(memory)
    }
}

/// Modules that import each other are linked recursively, here and in the runtime.
const MAX_MODULES: usize = 500;

/// What a plugin may import and what of it may be called.
#[derive(Clone, Debug)]
pub struct Rules {
    pub wasi: bool,
    /// Whether what guests print is printed.
    pub wasi_output: bool,
    /// What memories and blocks may have together, in pages of 64 KiB.
    pub max_pages: u32,
    /// What tables may have together.
    pub max_table_elements: u32,
    /// What the blocks of guests may have together, in pages of 64 KiB.
    pub block_pages: Option<u32>,
    /// Whether a main module without WASI that exports `_start` has that run before its first
    /// call.
    pub runs_commands: bool,
    /// Whether functions with parameters can be called, with zeros for them, and functions with
    /// other results than one i32.
    pub any_signature: bool,
}

/// The least that can be allowed, but for sizes: they have no limits.
impl Default for Rules {
    fn default() -> Self {
        Self {
            wasi: false,
            wasi_output: false,
            max_pages: u32::MAX,
            max_table_elements: u32::MAX,
            block_pages: None,
            runs_commands: false,
            any_signature: false,
        }
    }
}

/// Links modules, of which the one named `main`, or else the last one, is the plugin's own.
pub fn link(
    mut modules: Vec<Module>,
    functions: &[Signature],
    rules: &Rules,
) -> Result<Blueprint, Failure> {
    if modules.len() > MAX_MODULES {
        let count = modules.len();
        return Err(fail(format!(
            "the manifest has {count} modules, of which {MAX_MODULES} are allowed"
        )));
    }
    name_main(&mut modules)?;
    let main = modules.iter().position(|module| module.name == MAIN);
    let main = main.ok_or_else(|| fail("the manifest has no module".to_owned()))?;
    let Resolved {
        order,
        used,
        uses_http,
        renamed,
    } = Resolved::of(&modules, main, functions, rules)?;

    let bounds = Bounds::of(order.iter().map(|&index| &modules[index]), rules)?;
    let mut entries = Vec::new();
    for &index in &order {
        let is_main = index == main;
        let runs = is_main && rules.runs_commands && modules[index].is_plain_command();
        // A command's own start runs its constructors.
        initializers(&modules[index], is_main && !runs, &mut entries);
        if runs {
            entries.push(entry(&modules[index], START_COMMAND, &Types::default()));
        }
    }
    let count = entries.len();
    let mut names = Vec::new();
    let mut commands = HashSet::new();
    for export in &modules[main].exports {
        if let Kind::Function(types) = &export.kind
            && (is_callable(types) || (rules.any_signature && types.is_plain()))
        {
            if export.name == START_COMMAND {
                commands.insert(names.len());
            }
            names.push(export.name.clone());
            entries.push(entry(&modules[main], &export.name, types));
        }
    }

    let mut linked = vec![
        (
            GUARD.to_owned(),
            own(guard::write(&used, rules.block_pages))?,
        ),
        (MAIN.to_owned(), own(driver::write(&entries))?),
    ];
    for &index in &order {
        let module = &modules[index];
        let shared = wasi::shared(module);
        if let Some(memory) = shared {
            linked.push((
                wasi::name(index),
                own(wasi::write(memory, rules.wasi_output))?,
            ));
        }
        let resolve = |position: usize| renamed.get(&(index, position)).cloned();
        let memory = shared.map(|_| wasi::name(index));
        let memory = memory.as_deref().map(|name| (name, wasi::MEMORY));
        let bytes = rewrite(&module.bytes, memory, &bounds, resolve).map_err(|error| {
            Failure::new(Code::Module, format!("module \"{}\": {error}", module.name))
        })?;
        linked.push((linked_name(module).to_owned(), bytes));
    }
    Ok(Blueprint {
        modules: linked,
        imports: modules[main].imports.clone(),
        exports: modules[main].exports.clone(),
        functions: names,
        initializers: count,
        commands,
        host_functions: used,
        uses_http,
        bounds,
    })
}

pub fn fail(message: String) -> Failure {
    Failure::new(Code::Link, message)
}

/// A module of ours; that it parses is not the user's concern.
fn own(text: String) -> Result<Vec<u8>, Failure> {
    wat::parse_str(text).map_err(|error| Failure::new(Code::Internal, error.to_string()))
}

/// Checks the names of modules, and gives the last one the name `main` if none has it.
fn name_main(modules: &mut [Module]) -> Result<(), Failure> {
    if !modules.iter().any(|module| module.name == MAIN)
        && let Some(last) = modules.last_mut()
    {
        last.name = MAIN.to_owned();
    }
    let mut seen = HashSet::new();
    for Module { name, exports, .. } in modules.iter() {
        if name.starts_with("extism:")
            || name.starts_with(OWN)
            || name.starts_with("wasi")
            || name == LEGACY
        {
            return Err(fail(format!(
                "a module cannot be named \"{name}\": the host has that name"
            )));
        }
        if !seen.insert(name) {
            return Err(fail(format!("two modules are named \"{name}\"")));
        }
        if let Some(export) = exports.iter().find(|export| export.name.starts_with(OWN)) {
            let export = &export.name;
            return Err(fail(format!(
                "module \"{name}\": the name of export \"{export}\" is reserved"
            )));
        }
    }
    Ok(())
}

pub fn linked_name(module: &Module) -> &str {
    if module.name == MAIN {
        GUEST
    } else {
        &module.name
    }
}

fn is_callable(types: &Types) -> bool {
    types.params.is_empty() && (types.results.is_empty() || types.results == [I32])
}

fn entry(module: &Module, export: &str, types: &Types) -> Entry {
    Entry {
        module: linked_name(module).to_owned(),
        export: exported_name(export).to_owned(),
        types: types.clone(),
    }
}

/// The start code of a module: its start function, then what its language wants run first.
fn initializers(module: &Module, is_main: bool, entries: &mut Vec<Entry>) {
    if module.has_start {
        entries.push(Entry {
            module: linked_name(module).to_owned(),
            export: START.to_owned(),
            types: Types::new(&[], &[]),
        });
    }
    let mut push = |export: &str, fits: fn(&Types) -> bool| match module.function(export) {
        Some(types) if fits(types) => {
            entries.push(entry(module, export, types));
            true
        }
        _ => false,
    };
    let plain: fn(&Types) -> bool = |types| types.params.is_empty() && types.results.is_empty();
    let haskell: fn(&Types) -> bool =
        |types| types.params == [I32, I32] && types.results.iter().all(|ty| *ty == I32);
    if is_main && module.function("hs_init").is_some_and(haskell) {
        push("_initialize", plain);
        push("hs_init", haskell);
    } else if !(is_main && push("__wasm_call_ctors", plain)) {
        push("_initialize", plain);
    }
}
