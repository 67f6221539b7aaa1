//! A guest's memory, in a module of its own beside the function that the guest sleeps with.

use wasmparser::MemoryType;

use super::names::OWN;

/// The function of WASI that it replaces.
pub const POLL: &str = "poll_oneoff";
pub const MEMORY: &str = "memory";

/// The name of the module that has the memory of module number `index`.
pub fn name(index: usize) -> String {
    format!("{OWN}memory {index}")
}

/// The text of a module with this memory.
pub fn write(memory: &MemoryType) -> String {
    let size = match memory.maximum {
        Some(maximum) => format!("{} {maximum}", memory.initial),
        None => memory.initial.to_string(),
    };
    include_str!("sleep.wat").replace("SIZE", &size)
}

/// Whether a memory is of the plain kind that every guest with WASI has.
pub fn fits(memory: &MemoryType) -> bool {
    !memory.memory64 && !memory.shared && memory.page_size_log2.is_none()
}
