//! A Node.js addon that hosts Extism plugins.
//!
//! `node` is the boundary to JavaScript; nothing else names napi.

#![cfg_attr(
    test,
    allow(dead_code, reason = "the exports to JavaScript are not there in tests")
)]

#[macro_use]
extern crate napi_derive;

mod bytes;
mod call;
mod error;
mod exchange;
mod faults;
mod host_function;
mod instance;
mod log;
mod log_file;
mod memory_get;
mod module;
mod node;
mod plugin;
mod store;
mod sync;
mod threads;
mod variables;
mod watchdog;
