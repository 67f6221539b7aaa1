//! Links the modules of a manifest to each other and to the host.

use std::collections::HashSet;

use wasmparser::ValType::I32;

use super::abi::{MAIN, START, is_reserved};
use super::layout::Layout;
use super::resolve::{Resolved, Signature};
use super::{EntryPoint, Kind, LinkedModule, Module, Types, bounds};
use crate::error::{Code, Failure};

/// Imports are resolved recursively, one level for each module.
const MAX_MODULES: usize = 500;

/// What a plugin may import and start with, and what of it can be called.
#[derive(Clone, Debug)]
pub struct LinkOptions {
    pub wasi: bool,
    /// How many pages of 64 KiB memories and blocks may have together.
    pub max_pages: u32,
    /// How many elements tables may have together.
    pub max_table_elements: u32,
    /// Whether `_start` of a module without WASI is called once, when the plugin is made. Where
    /// it is not, each call of a function that is imported from a command has a fresh instance
    /// of the command.
    pub runs_commands: bool,
    /// Whether functions with parameters can be called, with zeros for them, and functions with
    /// other results than one `i32`.
    pub any_signature: bool,
}

/// Allows the least of everything, except for sizes, which are not limited.
impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            wasi: false,
            max_pages: u32::MAX,
            max_table_elements: u32::MAX,
            runs_commands: false,
            any_signature: false,
        }
    }
}

/// Links modules, of which the one named `main`, or else the last one, is the plugin's own.
pub fn link(
    mut modules: Vec<Module>,
    functions: &[Signature],
    options: &LinkOptions,
) -> Result<LinkedModule, Failure> {
    if modules.len() > MAX_MODULES {
        let count = modules.len();
        return Err(failure(format!(
            "the manifest has {count} modules, of which {MAX_MODULES} are allowed"
        )));
    }
    name_main(&mut modules);
    check_names(&modules)?;
    let main = modules.iter().position(|module| module.name == MAIN);
    let main = main.ok_or_else(|| failure("the manifest has no module".to_owned()))?;
    let resolved = Resolved::of(&modules, main, functions, options)?;
    let needed = resolved.order.iter().map(|&index| &modules[index]);
    let initial = bounds::check(needed, resolved.trampoline.len(), options)?;
    let mut needed = resolved.order.iter().map(|&index| &modules[index]);
    let has_start_section = needed.any(|module| module.has_start);
    let (entry_points, commands) = entry_points(&modules[main], options);
    let used = resolved.used.clone();
    let (uses_http, uses_wasi) = (resolved.uses_http, resolved.uses_wasi);
    let layout = Layout::of(&modules, main, resolved, options)?;
    let has_start = layout
        .units
        .iter()
        .any(|unit| !unit.initializers.is_empty())
        || has_start_section;
    let main = modules.swap_remove(main);
    Ok(LinkedModule {
        has_start,
        main: layout.main,
        interface: main.into_interface(),
        entry_points,
        commands,
        host_functions: used,
        uses_http,
        uses_wasi,
        memories: initial.memories,
        initial_pages: initial.pages,
        deferred: layout.deferred,
        units: layout.units,
    })
}

pub fn failure(message: String) -> Failure {
    Failure::new(Code::Link, message)
}

/// Gives the last module the name `main` if none has it.
fn name_main(modules: &mut [Module]) {
    if !modules.iter().any(|module| module.name == MAIN)
        && let Some(last) = modules.last_mut()
    {
        last.name = MAIN.to_owned();
    }
}

fn check_names(modules: &[Module]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    for Module { name, .. } in modules {
        if is_reserved(name) {
            return Err(failure(format!(
                "a module cannot be named \"{name}\": the host has that name"
            )));
        }
        if !seen.insert(name) {
            return Err(failure(format!("two modules are named \"{name}\"")));
        }
    }
    Ok(())
}

/// What of the main module can be called, and which of that are commands.
fn entry_points(main: &Module, options: &LinkOptions) -> (Vec<EntryPoint>, HashSet<usize>) {
    let callable = |types: &Types| {
        let is_usual = types.params.is_empty() && matches!(*types.results, [] | [I32]);
        is_usual || (options.any_signature && types.is_plain())
    };
    let exports = main.exports.iter();
    let functions = exports.filter_map(|export| match &export.kind {
        Kind::Function(types) if callable(types) => Some(EntryPoint {
            name: export.name.clone(),
            types: types.clone(),
        }),
        _ => None,
    });
    let entry_points: Vec<_> = functions.collect();
    let commands = entry_points.iter().enumerate();
    let commands = commands.filter(|(_, entry_point)| entry_point.name == START);
    let commands = commands.map(|(position, _)| position).collect();
    (entry_points, commands)
}
