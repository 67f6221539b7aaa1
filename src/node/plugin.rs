//! The native plugin, behind both faces.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use napi::Env;
use napi::bindgen_prelude::*;

use super::environment::Environment;
use super::logger::Door;
use super::opening;
use super::rejection::Rejection;
use super::settler::Settler;
use super::source::{Plan, PluginSource};
use super::stats::PluginStats;
use super::store::NativeStore;
use super::synchronous::{self, Answering};
use super::{MAX_EXTERNAL_BYTES, milliseconds, thrown};
use crate::bytes;
use crate::faults;
use crate::log::Level;
use crate::plugin::{Plugin, Request};
use crate::threads::contain;

#[napi(custom_finalize)]
pub struct NativePlugin {
    id: u32,
    settler: Rc<Settler>,
    answer: Answering,
    /// Empty until it is open.
    plugin: Arc<OnceLock<Plugin>>,
    always_bytes: bool,
    /// What it logs and prints to.
    door: Arc<Door>,
    /// What V8 was told that it costs, in bytes.
    external: Cell<i64>,
}

#[napi]
impl NativePlugin {
    /// Reads, checks and links the modules; compiling goes on on another thread. `id` is what
    /// host calls name this plugin by.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        environment: &Environment,
        id: u32,
        source: PluginSource,
        stores: Vec<ClassInstance<'_, NativeStore>>,
    ) -> Result<Self> {
        let always_bytes = source.always_bytes;
        let plan = Plan::new(environment, id, source, &stores);
        let door = plan.door.clone();
        let plugin = plan.open(false).map_err(|failure| thrown(&env, failure))?;
        environment.plugins.adopt(&plugin);
        let place = Arc::new(OnceLock::from(plugin));
        let native = Self::of(environment, id, place, always_bytes, door);
        native.opened(env)?;
        Ok(native)
    }

    /// The same on another thread, up to a compiled first instance: a plugin, and a promise
    /// that it is open.
    #[napi(ts_return_type = "[NativePlugin, Promise<null>]", catch_unwind)]
    pub fn open<'env>(
        env: &'env Env,
        environment: &Environment,
        id: u32,
        source: PluginSource,
        stores: Vec<ClassInstance<'_, NativeStore>>,
    ) -> Result<(Self, Unknown<'env>)> {
        let always_bytes = source.always_bytes;
        let plan = Plan::new(environment, id, source, &stores);
        let door = plan.door.clone();
        let (promise, ticket) = environment.settler.promise(env, id, false)?;
        let plugin = opening::open(plan, environment.plugins.clone(), ticket);
        let native = Self::of(environment, id, plugin, always_bytes, door);
        Ok((native, promise))
    }

    /// Tells V8 what this plugin costs, so that it collects plugins that nobody has.
    #[napi(catch_unwind)]
    pub fn opened(&self, env: Env) -> Result<()> {
        let bytes = self.plugin()?.recipe().blueprint.bytes();
        self.account(env, bytes.min(MAX_EXTERNAL_BYTES) as i64)
    }

    /// The names of the functions that can be called; `call` takes their positions.
    #[napi(getter, catch_unwind)]
    pub fn functions(&self) -> Result<Vec<String>> {
        Ok(self.plugin()?.recipe().blueprint.functions.clone())
    }

    /// Whether a call may need JavaScript while it runs.
    #[napi(getter, catch_unwind)]
    pub fn needs_javascript(&self) -> Result<bool> {
        let recipe = self.plugin()?.recipe();
        let mut functions = recipe.functions.iter();
        Ok(
            recipe.blueprint.uses_http
                || functions.any(|function| function.body.needs_javascript()),
        )
    }

    /// Puts a call in the queue: a promise of its output.
    #[napi(ts_return_type = "Promise<Buffer | null>", catch_unwind)]
    pub fn call<'env>(
        &self,
        env: &'env Env,
        function: u32,
        input: Either<&[u8], String>,
    ) -> Result<Unknown<'env>> {
        let request = request(env, function, input, None, false)?;
        Ok(self.submit(env, request)?.0)
    }

    /// Runs the start code on an instance that has not run it, if there is any: a promise that
    /// it has, or null.
    #[napi(ts_return_type = "Promise<null> | null", catch_unwind)]
    pub fn start<'env>(&self, env: &'env Env) -> Result<Option<Unknown<'env>>> {
        let blueprint = &self.plugin()?.recipe().blueprint;
        if blueprint.initializers == 0 {
            return Ok(None);
        }
        let nothing = blueprint.functions.len() as u32;
        let request = request(env, nothing, Either::B(String::new()), None, false)?;
        Ok(Some(self.submit(env, request)?.0))
    }

    /// The same with more to say: the promise, and the call's number. `nested` is for calls
    /// from a host function that this plugin waits for.
    #[napi(ts_return_type = "[Promise<Buffer | null>, number]", catch_unwind)]
    pub fn call_with<'env>(
        &self,
        env: &'env Env,
        function: u32,
        input: Either<&[u8], String>,
        timeout_ms: Option<f64>,
        nested: bool,
    ) -> Result<(Unknown<'env>, f64)> {
        let request = request(env, function, input, timeout_ms, nested)?;
        self.submit(env, request)
    }

    /// Runs a call on this thread: its output, or how it failed.
    #[napi(catch_unwind)]
    pub fn call_sync<'env>(
        &self,
        env: &'env Env,
        function: u32,
        input: Either<&[u8], String>,
        timeout_ms: Option<f64>,
    ) -> Result<Either3<BufferSlice<'env>, Null, Rejection>> {
        let plugin = self.plugin()?;
        let request = request(env, function, input, timeout_ms, false)?;
        let outcome = synchronous::check_stack(plugin.recipe().limits.stack_bytes)
            .and_then(|()| synchronous::run(*env, &self.answer, || plugin.call_sync(request)));
        Ok(match outcome {
            Ok(None) if !self.always_bytes => Either3::B(Null),
            Ok(output) => Either3::A(BufferSlice::copy_from(env, output.unwrap_or_default())?),
            Err(failure) => Either3::C(Rejection::new(0, self.id, failure)),
        })
    }

    /// From which level on it logs; "silent" where that is not to JavaScript.
    #[napi(getter, catch_unwind)]
    pub fn log_level(&self) -> &'static str {
        self.door.level().name()
    }

    #[napi(setter, catch_unwind)]
    pub fn set_log_level(&self, level: String) {
        if let Some(level) = Level::from_name(&level) {
            self.door.set_level(level);
        }
    }

    /// Makes room for what it logs next, once a turn of the loop: how many messages were dropped.
    #[napi(catch_unwind)]
    pub fn make_room(&self) -> f64 {
        self.door.make_room() as f64
    }

    /// Stops a call by its number; whether it was there to stop.
    #[napi(catch_unwind)]
    pub fn cancel(&self, call: f64) -> Result<bool> {
        Ok(self.plugin()?.cancel(call as u64))
    }

    /// Stops what runs; whether anything did.
    #[napi(catch_unwind)]
    pub fn cancel_running(&self) -> Result<bool> {
        Ok(self.plugin()?.cancel_running())
    }

    /// What the plugin does and has done.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> Result<PluginStats> {
        Ok(PluginStats::from(self.plugin()?.report()))
    }

    /// Takes no further calls; a promise that accepted ones are finished.
    #[napi(ts_return_type = "Promise<null>", catch_unwind)]
    pub fn close<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        let plugin = self.plugin()?;
        let (promise, ticket) = self.settler.promise(env, self.id, false)?;
        plugin.close(Some(Box::new(ticket)));
        self.account(*env, 0)?;
        Ok(promise)
    }
}

impl NativePlugin {
    fn of(
        environment: &Environment,
        id: u32,
        plugin: Arc<OnceLock<Plugin>>,
        always_bytes: bool,
        door: Arc<Door>,
    ) -> Self {
        Self {
            id,
            settler: environment.settler.clone(),
            answer: environment.answer.clone(),
            plugin,
            always_bytes,
            door,
            external: Cell::default(),
        }
    }

    fn submit<'env>(&self, env: &'env Env, request: Request) -> Result<(Unknown<'env>, f64)> {
        faults::point("submit");
        let plugin = self.plugin()?;
        let (promise, ticket) = self.settler.promise(env, self.id, self.always_bytes)?;
        let call = plugin.call(request, Box::new(ticket));
        Ok((promise, call as f64))
    }

    pub(super) fn plugin(&self) -> Result<&Plugin> {
        let plugin = self.plugin.get();
        plugin.ok_or_else(|| Error::from_reason("the plugin is not open yet"))
    }

    fn account(&self, env: Env, bytes: i64) -> Result<()> {
        env.adjust_external_memory(bytes - self.external.replace(bytes))?;
        Ok(())
    }
}

impl ObjectFinalize for NativePlugin {
    fn finalize(self, env: Env) -> Result<()> {
        // Nobody has the plugin any longer, so nobody is to be told.
        let _ = contain(|| {
            faults::point("finalize");
            if let Some(plugin) = self.plugin.get() {
                plugin.close(None);
            }
            Ok(())
        });
        self.account(env, 0)
    }
}

fn request(
    env: &Env,
    function: u32,
    input: Either<&[u8], String>,
    timeout_ms: Option<f64>,
    nested: bool,
) -> Result<Request> {
    Ok(Request {
        function: function as usize,
        input: match input {
            Either::A(bytes) => bytes::copy(bytes).map_err(|failure| thrown(env, failure))?,
            Either::B(text) => text.into_bytes(),
        },
        timeout: timeout_ms.map(milliseconds),
        nested,
    })
}
