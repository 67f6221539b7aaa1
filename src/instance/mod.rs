//! One running copy of a plugin: its own engine, so that stopping it stops nothing else.

mod host;
mod services;
mod slot;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use extism::{CompiledPlugin, DebugOptions, Manifest, Plugin, PluginBuilder, Wasm};
use wasmtime::{Config, ProfilingStrategy, Trap, WasmBacktrace};

use crate::call::{Call, Outcome};
use crate::error::{Code, Failure};
use crate::host_function::{Body, HostFunction};
use crate::log::{Logger, Output};
use crate::module::{self, Blueprint};
use crate::threads::panic_message;
use crate::variables::{Scope, Variables};
use crate::watchdog;

use slot::End;
pub use slot::Slot;

/// What guests and the kernel may have together where nobody says how much, in pages: 4 GiB.
const MAX_PAGES: u32 = 65_536;

/// Everything that instances of one plugin have in common.
pub struct Recipe {
    pub blueprint: Blueprint,
    /// In the order of [`Blueprint::host_functions`].
    pub functions: Vec<HostFunction>,
    /// The bodies of `http_request`, `http_status_code` and `http_headers`.
    pub http: [Arc<dyn Body>; 3],
    pub logger: Arc<dyn Logger>,
    pub output: Arc<dyn Output>,
    pub config: BTreeMap<String, String>,
    pub wasi: bool,
    /// Directories of the host, `ro:` before those that may only be read, and where the guest
    /// finds them.
    pub allowed_paths: BTreeMap<String, PathBuf>,
    /// What guests and the kernel may have together, in pages of 64 KiB.
    pub max_pages: Option<u32>,
    /// What the blocks of guests may have together, in pages.
    pub block_pages: Option<u32>,
    pub max_var_bytes: u64,
    pub variables: Scope,
    /// How many instructions a call may run, about.
    pub fuel: Option<u64>,
    /// Whether a function that returns another number than 0 has failed.
    pub codes_are_errors: bool,
    /// A configuration file of the runtime's cache of compiled code.
    pub cache: Option<PathBuf>,
}

/// Where an instance gets its calls from.
pub trait Source: Send + Sync {
    /// Begins the next call in this slot. There is none when the instance is to let go of its
    /// thread.
    fn begin_next(&self, slot: &Slot) -> Begun;
    /// How long a call ran.
    fn ran(&self, duration: Duration);
}

pub struct Instance {
    recipe: Arc<Recipe>,
    compiled: CompiledPlugin,
    plugin: Plugin,
    slot: Arc<Slot>,
    source: Arc<dyn Source>,
    /// A stop is on its way to the engine that will find nothing to stop.
    haunted: bool,
}

/// What came of asking for the next call.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    Call,
    Nothing,
    /// The instance is being stopped.
    Refused,
}

/// Why an instance stopped serving.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// There was nothing more to do.
    Idle,
    /// Its guest cannot go on.
    Broken,
}

impl Instance {
    /// Compiles and instantiates; no code of the guest runs yet.
    pub fn new(recipe: Arc<Recipe>, source: Arc<dyn Source>) -> Result<Self, Failure> {
        let slot = Arc::new(Slot::new(recipe.variables(), recipe.block_pages));
        let compiled = compile(&recipe, &slot, &source)?;
        let plugin = instantiate(&compiled, &slot)?;
        watchdog::watch(&(slot.clone() as Arc<_>))?;
        Ok(Self {
            recipe,
            compiled,
            plugin,
            slot,
            source,
            haunted: false,
        })
    }

    pub fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// Replaces the guest by a fresh one, from the same compiled code if nothing more is to
    /// happen to its engine.
    pub fn renew(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.haunted) {
            self.compiled = compile(&self.recipe, &self.slot, &self.source)?;
        }
        self.plugin = instantiate(&self.compiled, &self.slot)?;
        if matches!(self.recipe.variables, Scope::Guest) {
            self.slot.variables().clear();
        }
        Ok(())
    }

    /// Runs calls until the source has no more or the guest cannot go on. Each is settled.
    pub fn serve(&mut self) -> Ended {
        let plugin = &mut self.plugin;
        let result = catch_unwind(AssertUnwindSafe(|| {
            plugin.call_get_error_code::<_, Vec<u8>>(module::SERVE, "")
        }));
        let initializers = self.recipe.blueprint.initializers;
        let End {
            call,
            reason,
            told,
            starting,
        } = self.slot.end(initializers);
        let text = self.slot.take_error();
        let interrupted =
            text.is_none() && matches!(&result, Ok(Err((error, _))) if is_interrupt(error));
        self.haunted = told && !interrupted;
        let Some((call, ran)) = call else {
            return match result {
                Ok(Ok(_)) => Ended::Idle,
                _ => Ended::Broken,
            };
        };
        let outcome: Outcome = match (reason, result) {
            (Some(failure), _) => Err(failure),
            (None, Ok(Ok(_))) if starting => {
                Err(Failure::new(Code::Exit, "the plugin's start code exited").with_exit_code(0))
            }
            // It exited; the guard is gone, which knew whether there is an output.
            (None, Ok(Ok(output))) => Ok((!output.is_empty()).then_some(output)),
            (None, Ok(Err((error, code)))) => {
                let failure = failure(&error, code);
                // Where a guest broke off after it had reported an error, that says more, unless
                // its face has no codes.
                let told = match failure.code {
                    Code::Exit => text,
                    Code::Trap if self.recipe.codes_are_errors => text,
                    _ => None,
                };
                let message = told.unwrap_or_else(|| failure.message.clone());
                Err(Failure { message, ..failure })
            }
            (None, Err(panic)) => Err(Failure::new(Code::Internal, panic_message(&*panic))),
        };
        self.recipe.settle(&self.source, call, ran, outcome);
        Ended::Broken
    }

    /// Runs one call, and settles it.
    pub fn serve_one(&mut self, call: Call) -> Ended {
        self.slot.hold(call);
        self.serve()
    }
}

impl Recipe {
    fn variables(&self) -> Arc<Variables> {
        match &self.variables {
            Scope::Plugin(variables) => variables.clone(),
            Scope::Guest | Scope::Instance => Arc::new(Variables::new(self.max_var_bytes)),
        }
    }

    fn settle(&self, source: &Arc<dyn Source>, call: Call, ran: Duration, outcome: Outcome) {
        source.ran(ran);
        let name = self.blueprint.functions.get(call.function);
        call.settle(outcome.map_err(|failure| match name {
            Some(name) => failure.in_function(name),
            None => failure,
        }));
    }
}

fn compile(
    recipe: &Arc<Recipe>,
    slot: &Arc<Slot>,
    source: &Arc<dyn Source>,
) -> Result<CompiledPlugin, Failure> {
    let build = |cache: Option<&PathBuf>| {
        let builder = PluginBuilder::new(manifest(recipe)?)
            .with_functions(host::functions(recipe, slot, source))
            .with_wasi(recipe.wasi)
            .with_wasmtime_config(config())
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
        let builder = match cache {
            Some(file) => builder.with_cache_config(file),
            None => builder.with_cache_disabled(),
        };
        builder.compile().map_err(unusable)
    };
    // What is wrong with a cache, a full disk for example, is not wrong with the plugin.
    let cached = recipe
        .cache
        .as_ref()
        .map(|file| catch(|| build(Some(file))));
    match cached {
        Some(Ok(compiled)) => Ok(compiled),
        _ => catch(|| build(None)),
    }
}

fn instantiate(compiled: &CompiledPlugin, slot: &Slot) -> Result<Plugin, Failure> {
    let plugin = catch(|| Plugin::new_from_compiled(compiled).map_err(unusable))?;
    slot.renew(plugin.cancel_handle());
    Ok(plugin)
}

fn catch<T>(f: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(f))
        .unwrap_or_else(|panic| Err(Failure::new(Code::Internal, panic_message(&*panic))))
}

fn unusable(error: extism::Error) -> Failure {
    Failure::new(
        Code::Instance,
        format!("the plugin cannot be instantiated: {error:#}"),
    )
}

/// Timeouts are the watchdog's, since the runtime's own cannot differ from call to call.
fn manifest(recipe: &Recipe) -> Result<Manifest, Failure> {
    let Blueprint {
        modules,
        initial_pages,
        ..
    } = &recipe.blueprint;
    let mut manifest = Manifest::new(
        modules
            .iter()
            .map(|(name, bytes)| Wasm::data(bytes.clone()).with_name(name)),
    );
    manifest.allowed_paths = Some(recipe.allowed_paths.clone());
    let max = recipe.max_pages.unwrap_or(MAX_PAGES);
    // The runtime counts what memories grow by, not what they start with.
    let left = u64::from(max).checked_sub(*initial_pages).ok_or_else(|| {
        let message = format!(
            "the plugin starts with {initial_pages} pages of memory, of which {max} are allowed"
        );
        Failure::new(Code::OutOfMemory, message)
    })?;
    manifest.memory.max_pages = Some(left as u32);
    Ok(manifest)
}

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_features(module::FEATURES, true);
    config
}

/// Whether a guest broke off because the runtime stopped it, in the runtime's own words.
fn is_interrupt(error: &extism::Error) -> bool {
    error.root_cause().to_string() == "timeout"
}

/// What the runtime says of a guest that could not go on.
fn failure(error: &extism::Error, code: i32) -> Failure {
    let cause = error.root_cause().to_string();
    if cause == "oom" {
        return Failure::new(Code::OutOfMemory, "the plugin reached its memory limit");
    }
    if cause == "plugin ran out of fuel" {
        return Failure::new(Code::Fuel, "the call used up its fuel");
    }
    if cause.starts_with("Exited with i32 exit status") {
        return Failure::new(Code::Exit, format!("the plugin exited with {code}"))
            .with_exit_code(code);
    }
    let trap = error
        .downcast_ref::<Trap>()
        .map_or(cause, ToString::to_string);
    let mut failure = Failure::new(Code::Trap, trap);
    failure.backtrace = error
        .downcast_ref::<WasmBacktrace>()
        .map(ToString::to_string);
    failure
}
