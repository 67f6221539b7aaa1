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
    "extism:host/other",
    "extism-napi:guard",
    "extism-napi:guest",
    "extism-napi:host",
    "extism-napi:function",
    "extism-napi:memory 0",
    "wasi_snapshot_preview1",
    "wasi",
    "_start",
    "_initialize",
    "__wasm_call_ctors",
    "hs_init",
    "extism-napi:start",
    "extism-napi:_start",
    "memory",
    "alloc",
    "extism_alloc",
    "load_u8",
    "store_u8",
    "input_set",
    "reset",
    "output_offset",
    "begin",
    "done",
    "next",
    "function 0",
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
