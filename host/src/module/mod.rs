//! WebAssembly modules before they run: their bytes are read and checked here, and each import
//! is traced to where it comes from. Nothing is rewritten, compiled or instantiated here.

mod abi;
mod bounds;
mod command;
mod fits;
mod import_site;
mod initializers;
mod interfaces;
mod layout;
mod link;
mod linked;
mod read;
mod resolve;
#[cfg(all(test, feature = "runtime"))]
mod tests;
mod text;
mod trampoline;
mod types;

use wasmparser::WasmFeatures;

pub use abi::{ENV, ENVIRONMENT, LEGACY, LEGACY_PREFIX, WASI, WASI_FUNCTIONS};
pub use link::{LinkOptions, link};
pub use linked::{Deferred, EntryPoint, Initializer, LinkedModule, Source, Unit, Used};
pub use read::{Interface, Module};
pub use resolve::Signature;
pub use types::{Export, Import, Kind, Types};

/// The proposals that modules may use; the compiler is given the same set. Shared memories are
/// not among them: an instance belongs to one thread at a time.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM3.difference(WasmFeatures::THREADS);
