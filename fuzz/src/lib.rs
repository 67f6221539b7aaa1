//! What the fuzz targets share.
//!
//! The package itself builds a compiler, which takes ten minutes with instrumentation. What
//! reads bytes that nobody trusts needs nothing of that, so its sources are taken in as they are.

#[path = "../../src"]
mod package {
    pub mod error;
    pub mod module;
    pub mod store;
}

mod around;
mod blueprint;
mod generated;
mod manifest;
#[path = "../../src/store/tests/map.rs"]
mod map;
mod model;
mod name;
mod part;
mod section;

pub use around::around;
pub use blueprint::check;
pub use generated::{SLOTS, comparable, functions, generate, hostile, mutate};
pub use manifest::Manifest;
pub use model::Script;
pub use package::{error, module, store};

/// A module in binary form, whatever form it has.
pub fn binary(bytes: &[u8]) -> Vec<u8> {
    wat::parse_bytes(bytes).unwrap().into_owned()
}
