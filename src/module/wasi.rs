//! A guest's memory, in a module of its own beside what replaces some functions of WASI.

use wasmparser::MemoryType;
use wasmparser::ValType::{I32, I64};

use super::names::{OWN, WASI};
use super::{Import, Module, Types, bounds};

pub const MEMORY: &str = "memory";
const POLL: &str = "poll_oneoff";
const OPEN: &str = "path_open";
const REPLACED: [&str; 5] = [POLL, "fd_write", OPEN, "fd_close", "fd_renumber"];

/// How many files an instance may have open. All of the process share what the system allows.
const MAX_FILES: u32 = 256;

/// The name of the module that has the memory of module number `index`.
pub fn name(index: usize) -> String {
    format!("{OWN}memory {index}")
}

/// The text of a module with this memory, which prints what the guest prints, or does not.
pub fn write(memory: &MemoryType, output: bool) -> String {
    let memory = bounds::memory(*memory);
    let size = match memory.maximum {
        Some(maximum) => format!("{} {maximum}", memory.initial),
        None => memory.initial.to_string(),
    };
    include_str!("wasi.wat")
        .replace("SIZE", &size)
        .replace("FILES", &MAX_FILES.to_string())
        .replace("PRINTS", if output { "1" } else { "0" })
}

/// Whether a function of WASI is replaced.
pub fn replaces(function: &str) -> bool {
    REPLACED.contains(&function)
}

/// Whether nobody may call WASI's own: where there is no memory to be shared, it is not supported.
pub fn needs_memory(function: &str) -> bool {
    [POLL, OPEN].contains(&function)
}

/// The type of such a function.
pub fn types(function: &str) -> Types {
    let params: &[_] = match function {
        OPEN => &[I32, I32, I32, I32, I32, I64, I64, I32, I32],
        "fd_close" => &[I32],
        "fd_renumber" => &[I32, I32],
        _ => &[I32, I32, I32, I32],
    };
    Types::new(params, &[I32])
}

/// The memory of a module some of whose imports are replaced, if it has one of the plain kind
/// that every guest with WASI has.
pub fn shared(module: &Module) -> Option<&MemoryType> {
    let replaced = |import: &Import| import.module == WASI && replaces(&import.name);
    let memory = module.memory()?;
    let plain = !memory.memory64 && !memory.shared && memory.page_size_log2.is_none();
    (plain && module.imports.iter().any(replaced)).then_some(memory)
}
