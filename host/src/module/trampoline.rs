//! Functions that modules import from each other in a circle. One of two modules in a circle is
//! instantiated before the other, so it cannot import functions from it. A generated module,
//! instantiated before both, has a table of functions, and for each slot of that a function
//! which calls what is in the slot.

use std::collections::HashMap;
use std::fmt::Write;

use wasmparser::ValType;

use super::link::failure;
use super::{Deferred, Source, Types, Unit};
use crate::error::{Code, Failure};
use crate::module_bytes::ModuleBytes;

/// The name of the generated module. No module of a manifest can have it.
const NAME: &str = "extism:host/circular";
const TABLE: &str = "table";

/// A longer text is refused: there can be a million imports with a thousand parameters each.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// The exports that are called through the table; positions are slots.
#[derive(Default)]
pub struct Trampoline {
    slots: Vec<Slot>,
    by_export: HashMap<(usize, String), usize>,
}

struct Slot {
    module: usize,
    export: String,
    types: Types,
}

impl Trampoline {
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// The name of the function that calls this export of a module, if one can: a type that
    /// refers to other types of its module cannot be written down in another one.
    pub fn function(&mut self, module: usize, export: &str, types: &Types) -> Option<String> {
        if !types.all(is_self_contained) {
            return None;
        }
        let key = (module, export.to_owned());
        let slot = *self.by_export.entry(key).or_insert_with(|| {
            self.slots.push(Slot {
                module,
                export: export.to_owned(),
                types: types.clone(),
            });
            self.slots.len() - 1
        });
        Some(slot.to_string())
    }

    pub fn unit(&self) -> Result<Unit, Failure> {
        let bytes = wat::parse_str(self.text()?)
            .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        Ok(Unit {
            name: NAME.to_owned(),
            bytes: ModuleBytes::new(bytes),
            imports: Vec::<Source>::new(),
            initializers: Vec::new(),
            per_call: false,
        })
    }

    /// What belongs into the slots of the unit at `trampoline`. `unit_of` says which unit a
    /// module is.
    pub fn deferred(&self, trampoline: usize, unit_of: impl Fn(usize) -> usize) -> Vec<Deferred> {
        let slots = self.slots.iter().zip(0..);
        slots
            .map(|(slot, number)| Deferred {
                trampoline,
                table: TABLE.to_owned(),
                slot: number,
                unit: unit_of(slot.module),
                export: slot.export.clone(),
            })
            .collect()
    }

    fn text(&self) -> Result<String, Failure> {
        let count = self.slots.len();
        let mut text = format!("(module (table (export \"{TABLE}\") {count} {count} funcref)\n");
        for (slot, Slot { types, .. }) in self.slots.iter().enumerate() {
            let params = list(&types.params);
            let results = list(&types.results);
            let signature = format!("(param{params}) (result{results})");
            let arguments = (0..types.params.len()).map(|param| format!(" (local.get {param})"));
            let arguments: String = arguments.collect();
            // A tail call: functions that call each other in a circle use no more stack than
            // without the trampoline. Writing to a string does not fail.
            let _ = writeln!(
                text,
                "(func (export \"{slot}\") {signature} (return_call_indirect {signature}{arguments} (i32.const {slot})))"
            );
            if text.len() > MAX_TEXT_BYTES {
                return Err(failure(format!(
                    "the modules import {count} functions from each other in circles, which are too many"
                )));
            }
        }
        text.push(')');
        Ok(text)
    }
}

fn is_self_contained(ty: &ValType) -> bool {
    match ty {
        ValType::Ref(reference) => reference.type_index().is_none(),
        _ => true,
    }
}

fn list(types: &[ValType]) -> String {
    types.iter().map(|ty| format!(" {ty}")).collect()
}
