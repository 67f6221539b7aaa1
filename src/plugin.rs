//! The native plugin, behind both APIs.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use extism_host::call::Call;
use extism_host::faults;
use extism_host::log::{Forwarder, Level};
use extism_host::pool::{self, Pool};
use extism_host::threads::{contain, spawn_blocking};
use napi::Env;
use napi::bindgen_prelude::*;

use super::environment::{Environment, Shared};
use super::opening::{Settlement, open};
use super::settings::{MAX_EXTERNAL_BYTES, milliseconds, thrown};
use super::source::{self, PluginSource};
use super::stats::PluginStats;
use super::store::NativeStore;

#[napi(custom_finalize)]
pub struct NativePlugin {
    id: u32,
    shared: Rc<Shared>,
    /// Empty until its modules are linked.
    pool: Arc<OnceLock<Arc<Pool>>>,
    /// Nobody waits for it to be open.
    abandoned: Arc<AtomicBool>,
    /// What it logs and prints to.
    forwarder: Arc<Forwarder>,
    /// What V8 was told that it costs, in bytes: the copies of its modules, and the memories of an
    /// instance.
    external: Cell<i64>,
}

#[napi]
impl NativePlugin {
    /// A plugin number `id`, whose code is being compiled on another thread. Throws what is wrong
    /// with its modules.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        environment: &Environment,
        id: u32,
        source: PluginSource<'_>,
        stores: Vec<ClassInstance<'_, NativeStore>>,
    ) -> Result<Self> {
        let (plugin, source) = Self::of(environment, id, source, &stores);
        let queue = plugin.shared.queue.clone();
        let opened = contain(|| {
            let opening = Pool::open(source, queue)?;
            let pool = opening.pool.clone();
            // Its calls fail with whatever the compiler says.
            spawn_blocking(move || drop(opening.compile()))?;
            Ok(pool)
        });
        let pool = opened.map_err(|failure| thrown(&env, failure))?;
        plugin.shared.plugins.adopt(&pool);
        // The place was made above.
        let _ = plugin.pool.set(pool);
        plugin.opened(env)?;
        Ok(plugin)
    }

    /// The same on another thread, up to compiled code: `operation` ends when it is open.
    #[napi(catch_unwind)]
    pub fn open(
        environment: &Environment,
        id: u32,
        operation: f64,
        source: PluginSource<'_>,
        stores: Vec<ClassInstance<'_, NativeStore>>,
    ) -> Self {
        let (plugin, source) = Self::of(environment, id, source, &stores);
        let settlement = Settlement::new(&plugin.shared.queue, operation);
        let plugins = plugin.shared.plugins.clone();
        let place = plugin.pool.clone();
        let abandoned = plugin.abandoned.clone();
        let kept = settlement.clone();
        let job = move || {
            settlement.settle(open(
                source,
                &settlement.queue,
                &plugins,
                &place,
                &abandoned,
            ));
        };
        if let Err(failure) = spawn_blocking(job) {
            kept.settle(Err(failure));
        }
        plugin
    }

    /// Gives up a plugin that is not open yet. A child process that compiles it is killed.
    #[napi(catch_unwind)]
    pub fn abandon(&self) {
        self.abandoned.store(true, SeqCst);
        if let Some(pool) = self.pool.get() {
            pool.forget();
        }
    }

    /// Tells V8 what this plugin costs, so that it collects plugins that nobody has.
    #[napi(catch_unwind)]
    pub fn opened(&self, env: Env) -> Result<()> {
        let pool = self.pool()?;
        self.shared.pools.borrow_mut().insert(self.id, pool.clone());
        let memories = pool.linked.initial_bytes().min(MAX_EXTERNAL_BYTES) as i64;
        self.account(env, self.external.get() + memories)
    }

    /// The names of the functions that can be called; `call` takes their positions.
    #[napi(getter, catch_unwind)]
    pub fn functions(&self) -> Result<Vec<String>> {
        let entries = self.pool()?.linked.entry_points.iter();
        Ok(entries.map(|entry| entry.name.clone()).collect())
    }

    /// Whether a call may need JavaScript while it runs.
    #[napi(getter, catch_unwind)]
    pub fn needs_javascript(&self) -> Result<bool> {
        Ok(self.pool()?.needs_embedder())
    }

    /// Whether there is start code to be run before the first call.
    #[napi(getter, catch_unwind)]
    pub fn has_start(&self) -> Result<bool> {
        Ok(self.pool()?.linked.has_start)
    }

    /// Puts a call in the queue that comes from a host function; `nested` if this plugin waits for
    /// that one.
    #[napi(catch_unwind)]
    pub fn call_nested(
        &self,
        env: Env,
        operation: f64,
        function: u32,
        input: Either<&[u8], String>,
        timeout_ms: Option<f64>,
        nested: bool,
    ) -> Result<()> {
        let input = match input {
            Either::A(bytes) => Environment::bytes(&env, bytes)?,
            Either::B(text) => text.into_bytes(),
        };
        self.submit(operation, Some(function), input, timeout_ms, nested)
    }

    /// Makes an instance, which runs the start code.
    #[napi(catch_unwind)]
    pub fn start(&self, operation: f64) -> Result<()> {
        self.submit(operation, None, Vec::new(), None, false)
    }

    /// From which level on it logs; "silent" where that is not to JavaScript.
    #[napi(getter, catch_unwind)]
    pub fn log_level(&self) -> &'static str {
        self.forwarder.level().name()
    }

    #[napi(setter, catch_unwind)]
    pub fn set_log_level(&self, level: String) {
        if let Some(level) = Level::from_name(&level) {
            self.forwarder.set_level(level);
        }
    }

    /// Stops a call; whether it was there to stop.
    #[napi(catch_unwind)]
    pub fn cancel(&self, operation: f64) -> Result<bool> {
        Ok(self.pool()?.cancel(operation as u64))
    }

    /// Stops what runs, or else what is the next to run; whether there was anything.
    #[napi(catch_unwind)]
    pub fn cancel_running(&self) -> Result<bool> {
        Ok(self.pool()?.cancel_running())
    }

    /// What the plugin does and has done.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> Result<PluginStats> {
        Ok(PluginStats::from(self.pool()?.report()))
    }

    /// Takes no further calls; `operation` ends when accepted ones are finished.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env, operation: f64) -> Result<()> {
        self.pool()?.close(&self.shared.queue, operation as u64);
        self.account(env, 0)
    }
}

impl NativePlugin {
    fn of(
        environment: &Environment,
        id: u32,
        source: PluginSource<'_>,
        stores: &[ClassInstance<'_, NativeStore>],
    ) -> (Self, pool::PluginSource) {
        let forwarder = Forwarder::new(id, source::level(&source));
        let copied = source.modules.iter().map(|each| each.module.hand_over());
        let plugin = Self {
            id,
            shared: environment.shared.clone(),
            pool: Arc::default(),
            abandoned: Arc::default(),
            forwarder: forwarder.clone(),
            external: Cell::new(copied.sum()),
        };
        (plugin, source::read(id, source, stores, forwarder))
    }

    fn submit(
        &self,
        operation: f64,
        function: Option<u32>,
        input: Vec<u8>,
        timeout_ms: Option<f64>,
        nested: bool,
    ) -> Result<()> {
        faults::point("submit");
        let pool = self.pool()?;
        let timeout = timeout_ms.map(milliseconds);
        pool.submit(Call {
            id: operation as u64,
            function: function.map(|function| function as usize),
            input,
            timeout: timeout.or(pool.options().timeout),
            nested,
            queue: self.shared.queue.clone(),
            queued: Instant::now(),
        });
        Ok(())
    }

    pub(super) fn pool(&self) -> Result<&Arc<Pool>> {
        let pool = self.pool.get();
        pool.ok_or_else(|| Error::from_reason("the plugin is not open yet"))
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
            self.shared.pools.borrow_mut().remove(&self.id);
            if let Some(pool) = self.pool.get() {
                pool.forget();
            }
            Ok(())
        });
        self.account(env, 0)
    }
}
