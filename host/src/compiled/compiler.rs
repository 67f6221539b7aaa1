//! Compiles on threads of low priority, so that JavaScript's thread keeps its core.

use std::num::NonZero;
use std::thread::available_parallelism;

use rayon_core::{ThreadPool, ThreadPoolBuilder};
use wasmparser::Validator;

use super::TrustedCode;
use crate::engine::Engine;
use crate::error::{Code, Failure};
use crate::module::FEATURES;
use crate::{faults, ffi};

/// How many threads compile one module, where there are as many cores.
const MAX_THREADS: usize = 4;

pub fn compile(engine: &Engine, bytes: &[u8]) -> Result<TrustedCode, Failure> {
    faults::point("compile");
    #[cfg(test)]
    super::tests::count_compilation(bytes);
    let compiled = match threads() {
        Some(threads) => threads.install(|| engine.wasmtime.precompile_module(bytes)),
        // The system has no threads: compile on this one. The engine itself would use the threads
        // of the process, which it cannot start either.
        None => engine.single_threaded()?.precompile_module(bytes),
    };
    compiled
        .map(TrustedCode::compiled)
        .map_err(|error| failure(bytes, &error))
}

/// A pool for this module alone. Modules would wait for each other on the threads that rayon has
/// for the process.
fn threads() -> Option<ThreadPool> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    ThreadPoolBuilder::new()
        .num_threads(cores.min(MAX_THREADS))
        .thread_name(|index| format!("extism-compile-{index}"))
        .start_handler(|_| ffi::lower_priority())
        .build()
        .ok()
}

/// The compiler does not tell invalid modules from those that exceed what it implements.
fn failure(bytes: &[u8], error: &wasmtime::Error) -> Failure {
    match Validator::new_with_features(FEATURES).validate_all(bytes) {
        Err(invalid) => Failure::new(Code::Module, invalid.to_string()),
        Ok(_) => Failure::new(Code::Instance, format!("{error:#}")),
    }
}
