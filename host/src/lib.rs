//! Hosts Extism plugins.
//!
//! An instance is a task: a future that owns its store, polled by the thread that called or by a
//! worker. The embedder's thread answers the host functions that are not written in Rust.

// Modules before they run, and data that host functions share. The fuzz targets build only this.
pub mod bytes;
pub mod error;
pub mod faults;
pub mod hash;
pub mod module;
pub mod module_bytes;
pub mod store;
pub mod sync;
pub mod variables;

// Guests, and what runs them.
cfg_if::cfg_if! {
    if #[cfg(feature = "runtime")] {
        pub mod built_in;
        pub mod call;
        pub mod compiled;
        pub mod engine;
        pub mod environment;
        pub mod executor;
        mod ffi;
        pub mod host_call;
        pub mod host_function;
        mod instance;
        mod kernel;
        pub mod log;
        pub mod log_file;
        mod mapping;
        pub mod plugin_spec;
        pub mod pool;
        pub mod threads;
        mod ticker;
        pub mod wasi;
        mod watchdog;
    }
}

/// The version of Extism whose manifests, ABI and conversions these are.
#[cfg(feature = "runtime")]
pub fn extism_version() -> &'static str {
    extism::extism_version().trim_end_matches('\0')
}
