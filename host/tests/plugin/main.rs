//! Plugins from the outside: what an embedder sees of calls, instances, limits and guests.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at what it does not expect"
)]

#[path = "../common/mod.rs"]
mod common;

mod closing;
mod commands;
mod features;
mod host_functions;
mod instances;
mod isolation;
mod kernel;
mod kernel_blocks;
mod limits;
mod logs;
mod queue;
mod random;
mod start;
mod stopping;
mod traps;
mod workers;
