//! What memories and tables may grow to, as far as their declarations decide it.

use wasmparser::{MemoryType, TableType};

use super::{Module, Rules};
use crate::error::{Code, Failure};

/// The most pages that a memory with addresses of 32 bits can be declared with.
const MAX_PAGES_32: u64 = 1 << 16;
const MAX_PAGES_64: u64 = 1 << 48;

/// What is left when a plugin starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// How many pages its memories have from the start.
    pub initial_pages: u64,
    /// How many memories it has.
    pub memories: u64,
    /// By how many pages its memories and blocks may grow, together.
    pub growth_pages: u32,
    /// By how many elements each of its tables may grow.
    pub table_growth: u64,
}

impl Bounds {
    pub fn of<'a>(
        modules: impl Iterator<Item = &'a Module> + Clone,
        rules: &Rules,
    ) -> Result<Self, Failure> {
        let memories = modules.clone().flat_map(|module| &module.memories);
        let initial_pages = sum(memories.clone().map(|memory| memory.initial));
        let tables = modules.flat_map(|module| &module.tables);
        let elements = sum(tables.clone().map(|table| table.initial));
        let max_elements = u64::from(rules.max_table_elements);
        let growth_pages = u64::from(rules.max_pages)
            .checked_sub(initial_pages)
            .ok_or_else(|| too_much("pages of memory", initial_pages, rules.max_pages))?;
        let free = max_elements
            .checked_sub(elements)
            .ok_or_else(|| too_much("table elements", elements, rules.max_table_elements))?;
        Ok(Self {
            initial_pages,
            memories: memories.count() as u64,
            growth_pages: u32::try_from(growth_pages).unwrap_or(u32::MAX),
            // The runtime does not count what tables grow by. What they are declared with does
            // hold, so each may have its share of what is left.
            table_growth: free / (tables.count().max(1) as u64),
        })
    }

    pub fn table(&self, table: TableType) -> TableType {
        let bound = table.initial.saturating_add(self.table_growth);
        let maximum = table.maximum.map_or(bound, |maximum| maximum.min(bound));
        TableType {
            maximum: Some(maximum),
            ..table
        }
    }
}

/// The runtime stops a memory that grows to what it is declared with at most, not beyond that.
/// So it is declared with a page more, as what imports it has to be.
pub fn memory(memory: MemoryType) -> MemoryType {
    let most = if memory.memory64 {
        MAX_PAGES_64
    } else {
        MAX_PAGES_32
    };
    MemoryType {
        maximum: memory.maximum.map(|maximum| most.min(maximum + 1)),
        ..memory
    }
}

fn sum(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(0, u64::saturating_add)
}

fn too_much(what: &str, wanted: u64, allowed: u32) -> Failure {
    let message = format!("the plugin starts with {wanted} {what}, of which {allowed} are allowed");
    Failure::new(Code::OutOfMemory, message)
}
