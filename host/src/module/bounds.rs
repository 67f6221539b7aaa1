//! Whether what a plugin starts with is within its limits, known before anything is compiled.
//! What memories and tables grow to later is limited when they grow.

use super::{LinkOptions, Module};
use crate::error::{Code, Failure};

/// What the modules of a plugin start with, together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Initial {
    pub memories: u64,
    pub pages: u64,
}

/// Adds up the memories and tables of these modules, and of one more table with
/// `trampoline_elements`.
pub fn check<'a>(
    modules: impl Iterator<Item = &'a Module> + Clone,
    trampoline_elements: usize,
    options: &LinkOptions,
) -> Result<Initial, Failure> {
    let memories = modules.clone().flat_map(|module| &module.memories);
    let pages = sum(memories.clone().map(|memory| memory.initial));
    if pages > u64::from(options.max_pages) {
        return Err(too_many("pages of memory", pages, options.max_pages));
    }
    let tables = modules.flat_map(|module| &module.tables);
    let elements = sum(tables.map(|table| table.initial));
    let elements = elements.saturating_add(trampoline_elements as u64);
    if elements > u64::from(options.max_table_elements) {
        return Err(too_many(
            "table elements",
            elements,
            options.max_table_elements,
        ));
    }
    Ok(Initial {
        memories: memories.count() as u64,
        pages,
    })
}

/// A 64-bit memory can be declared with 2^48 pages: a few of them must not overflow.
fn sum(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(0, u64::saturating_add)
}

fn too_many(what: &str, wanted: u64, allowed: u32) -> Failure {
    let message = format!("the plugin starts with {wanted} {what}, of which {allowed} are allowed");
    Failure::new(Code::OutOfMemory, message)
}
