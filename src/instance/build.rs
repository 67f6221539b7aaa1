//! How an instance is compiled and instantiated.

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

use extism::{CompiledPlugin, DebugOptions, Manifest, Plugin, PluginBuilder, Wasm};
use rayon_core::{ThreadPool, ThreadPoolBuilder};
use wasmtime::{Config, ProfilingStrategy};

use super::{Limits, Recipe, Slot, Source, host};
use crate::error::{Code, Failure};
use crate::faults;
use crate::module::{self, Blueprint};
use crate::threads::contain;

/// How many threads compile one instance, where there are as many cores.
const MAX_COMPILING: usize = 4;

pub fn compile(
    recipe: &Arc<Recipe>,
    slot: &Arc<Slot>,
    source: &Arc<dyn Source>,
) -> Result<CompiledPlugin, Failure> {
    faults::point("compile");
    // Where the system has no threads for it, this one compiles.
    let threads = threads();
    let build = |settings: Option<&Path>| {
        let builder = PluginBuilder::new(manifest(recipe))
            .with_functions(host::functions(recipe, slot, source))
            .with_wasi(recipe.wasi)
            .with_wasmtime_config(config(&recipe.limits, threads.is_some()))
            // The defaults read the environment, and write files where it says so.
            .with_debug_options(DebugOptions {
                profiling_strategy: ProfilingStrategy::None,
                coredump: None,
                memdump: None,
                debug_info: false,
            });
        let builder = match recipe.fuel {
            Some(fuel) => builder.with_fuel_limit(fuel),
            None => builder,
        };
        let builder = match settings {
            Some(file) => builder.with_cache_config(file),
            None => builder.with_cache_disabled(),
        };
        let compile = || builder.compile().map_err(|error| unusable(recipe, &error));
        match &threads {
            Some(threads) => threads.install(compile),
            None => compile(),
        }
    };
    // What is wrong with a cache, a full disk for example, is not wrong with the plugin.
    let cached = recipe.cache.as_ref();
    let cached =
        cached.map(|cache| contain(|| cache.compile(recipe, |settings| build(Some(settings)))));
    match cached {
        Some(Ok(compiled)) => Ok(compiled),
        _ => contain(|| build(None)),
    }
}

/// Threads to compile on. The runtime's own are there once for the process: a module that is slow
/// to compile would keep every other one waiting.
fn threads() -> Option<ThreadPool> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let pool = ThreadPoolBuilder::new().num_threads(cores.min(MAX_COMPILING));
    pool.build().ok()
}

pub fn instantiate(
    compiled: &CompiledPlugin,
    recipe: &Recipe,
    slot: &Slot,
) -> Result<Plugin, Failure> {
    let plugin = contain(|| {
        faults::point("instantiate");
        Plugin::new_from_compiled(compiled).map_err(|error| unusable(recipe, &error))
    })?;
    slot.renew(plugin.cancel_handle());
    Ok(plugin)
}

fn unusable(recipe: &Recipe, error: &extism::Error) -> Failure {
    let mut paths = recipe.allowed_paths.keys();
    let directory = |path: &str| Path::new(path.strip_prefix("ro:").unwrap_or(path)).is_dir();
    let missing = paths.find(|path| !directory(path));
    // The runtime does not say which.
    let why = missing.map_or(format!("{error:#}"), |path| {
        format!("the allowed path \"{path}\" is not a directory: {error:#}")
    });
    let message = format!("the plugin cannot be instantiated: {why}");
    Failure::new(Code::Instance, message)
}

/// Timeouts are the watchdog's, since the runtime's own cannot differ from call to call.
fn manifest(recipe: &Recipe) -> Manifest {
    let Blueprint {
        modules, bounds, ..
    } = &recipe.blueprint;
    let mut manifest = Manifest::new(
        modules
            .iter()
            .map(|(name, bytes)| Wasm::data(bytes.clone()).with_name(name)),
    );
    manifest.allowed_paths = Some(recipe.allowed_paths.clone());
    // The runtime counts what memories grow by, not what they start with.
    manifest.memory.max_pages = Some(bounds.growth_pages);
    manifest
}

fn config(limits: &Limits, parallel: bool) -> Config {
    let mut config = Config::new();
    config.wasm_features(module::FEATURES, true);
    config.max_wasm_stack(limits.stack_bytes);
    config.parallel_compilation(parallel);
    config
}
