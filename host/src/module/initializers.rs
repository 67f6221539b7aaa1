//! Which exports of a module prepare it for calls.

use wasmparser::ValType::I32;

use super::abi::{INITIALIZE, START, WASI};
use super::{Import, Initializer, LinkOptions, Module, Types};

impl Module {
    /// Whether it is a command that needs no WASI.
    fn is_plain_command(&self) -> bool {
        let wasi = |import: &Import| import.module == WASI;
        self.function(START).is_some_and(Types::is_empty) && !self.imports.iter().any(wasi)
    }

    /// The functions that prepare the module for calls, in their order.
    pub(super) fn initializers(&self, is_main: bool, options: &LinkOptions) -> Vec<Initializer> {
        let mut list = Vec::new();
        let mut push = |export: &str, fits: fn(&Types) -> bool| match self.function(export) {
            Some(types) if fits(types) => {
                list.push(Initializer {
                    export: export.to_owned(),
                    types: types.clone(),
                });
                true
            }
            _ => false,
        };
        let runs = options.runs_commands && self.is_plain_command();
        // The `_start` of a command runs its constructors itself.
        let calls_constructors = is_main && !runs;
        if calls_constructors && self.function("hs_init").is_some_and(is_haskell) {
            push(INITIALIZE, Types::is_empty);
            push("hs_init", is_haskell);
        } else if !(calls_constructors && push("__wasm_call_ctors", Types::is_empty)) {
            push(INITIALIZE, Types::is_empty);
        }
        if runs {
            push(START, Types::is_empty);
        }
        list
    }
}

/// The type of Haskell's `hs_init`, which takes `argc` and `argv`.
fn is_haskell(types: &Types) -> bool {
    *types.params == [I32, I32] && types.results.iter().all(|ty| *ty == I32)
}
