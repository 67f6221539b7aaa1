//! The units that a plugin is instantiated from, and their order.

use super::resolve::{Resolved, TRAMPOLINE};
use super::{Deferred, LinkOptions, Module, Source, Unit};
use crate::error::Failure;

pub struct Layout {
    pub units: Vec<Unit>,
    pub main: usize,
    pub deferred: Vec<Deferred>,
}

impl Layout {
    /// The trampoline, if there is one, and then the modules in the order of their imports.
    pub fn of(
        modules: &[Module],
        main: usize,
        mut resolved: Resolved,
        options: &LinkOptions,
    ) -> Result<Self, Failure> {
        let mut units = Vec::with_capacity(resolved.order.len() + 1);
        if !resolved.trampoline.is_empty() {
            units.push(resolved.trampoline.unit()?);
        }
        let mut unit_of = vec![0; modules.len()];
        for (&module, unit) in resolved.order.iter().zip(units.len()..) {
            unit_of[module] = unit;
        }
        for &module in &resolved.order {
            let mut imports = resolved.sources.remove(&module).unwrap_or_default();
            for import in &mut imports {
                if let Source::Export { unit, .. } | Source::Command { unit, .. } = import {
                    // The trampoline is the first unit.
                    *unit = if *unit == TRAMPOLINE {
                        0
                    } else {
                        unit_of[*unit]
                    };
                }
            }
            units.push(Unit {
                name: modules[module].name.clone(),
                bytes: modules[module].bytes().clone(),
                imports,
                initializers: modules[module].initializers(module == main, options),
                per_call: resolved.per_call[module],
            });
        }
        Ok(Self {
            units,
            main: unit_of[main],
            deferred: resolved.trampoline.deferred(0, |module| unit_of[module]),
        })
    }
}
