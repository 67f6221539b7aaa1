//! A Node.js addon that hosts Extism plugins: the boundary between JavaScript and `extism_host`.
//!
//! JavaScript owns names, defaults, validation and error classes; what arrives here has been
//! checked.

#![cfg_attr(
    test,
    allow(dead_code, reason = "the exports to JavaScript are not there in tests")
)]

#[macro_use]
extern crate napi_derive;

mod compile;
mod crossing;
mod descriptor;
mod doorbell;
mod environment;
mod host_calls;
mod mailbox;
mod module;
mod opening;
mod plugin;
mod raw;
mod rejection;
mod settings;
mod source;
mod stats;
mod store;
mod synchronous;
mod value;
mod variables;
