//! The names that generated modules, imports, exports and host functions have.

use arbitrary::Arbitrary;

/// One of those that mean something, or any text.
#[derive(Arbitrary, Clone, Debug)]
pub enum Name {
    Known(u8),
    Any(String),
}

const NAMES: &[&str] = &[
    "main",
    "a",
    "b",
    "c",
    "0",
    "env",
    "extism:host/env",
    "extism:host/user",
    "extism:host/circular",
    "extism:host/other",
    "wasi_snapshot_preview1",
    "wasi",
    "_start",
    "_initialize",
    "__wasm_call_ctors",
    "hs_init",
    "table",
    "memory",
    "alloc",
    "extism_alloc",
    "load_u8",
    "store_u8",
    "input_set",
    "reset",
    "output_offset",
    "next",
    "poll_oneoff",
    "fd_write",
    "proc_exit",
    "http_request",
    "get_log_level",
    "serve",
];

impl Name {
    pub fn text(&self) -> &str {
        match self {
            Name::Known(index) => NAMES[usize::from(*index) % NAMES.len()],
            Name::Any(text) => text,
        }
    }
}
