//! Linked commands: modules with `_start` that other modules import functions from.

use super::abi::{INITIALIZE, START};
use super::{Kind, LinkOptions, Module};

/// Which modules have a fresh instance for each call: commands from which nothing but functions
/// is imported. A memory or a table belongs to one instance, which functions must share then.
pub fn per_call(modules: &[Module], main: usize, options: &LinkOptions) -> Vec<bool> {
    let mut per_call: Vec<_> = modules
        .iter()
        .enumerate()
        .map(|(index, module)| !options.runs_commands && index != main && is_command(module))
        .collect();
    if per_call.contains(&true) {
        let imports = modules.iter().flat_map(|module| &module.imports);
        let others = imports.filter(|import| !matches!(import.kind, Kind::Function(_)));
        for import in others {
            let provider = modules.iter().position(|each| each.name == import.module);
            if let Some(provider) = provider {
                per_call[provider] = false;
            }
        }
    }
    per_call
}

/// As in wasmtime's linker, which however refuses a module that also has `_initialize`.
fn is_command(module: &Module) -> bool {
    module.function(START).is_some() && module.function(INITIALIZE).is_none()
}
