//! How a plugin is made: read, linked, compiled.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use super::{Options, Pool};
use crate::call::CallState;
use crate::compiled::{self, ChildCompiler, CompileLimits};
use crate::engine::{self, EngineClass, StackClass};
use crate::error::{Code as ErrorCode, Failure};
use crate::executor::{Place, Queue};
use crate::faults;
use crate::host_function::HostFunction;
use crate::instance::{self, Instance, PluginLinker};
use crate::log::{Forwarder, Logger};
use crate::module::{self, LinkOptions, LinkedModule, Module};
use crate::module_bytes::ModuleBytes;
use crate::plugin_spec::{Identity, Limits, PluginSpec};
use crate::threads::{self, contain};
use crate::variables::{Scope, Variables};
use crate::wasi::{Wasi, WasiOptions};

/// Everything that a plugin is made of.
pub struct PluginSource {
    pub modules: Vec<(String, ModuleBytes)>,
    pub functions: Vec<HostFunction>,
    /// `http_request`, `http_status_code` and `http_headers`.
    pub http: [HostFunction; 3],
    pub logger: Arc<dyn Logger>,
    /// Where guests print, if what they print is printed.
    pub output: Option<Arc<Forwarder>>,
    pub config: BTreeMap<String, String>,
    pub wasi: WasiOptions,
    pub variables: Scope,
    pub limits: Limits,
    /// What a guest may have of the stack.
    pub stack_bytes: usize,
    pub codes_are_errors: bool,
    /// The directory where compiled code is kept, which nobody but the user may write to.
    pub cache: Option<PathBuf>,
    /// What compiling may take, if a child process is to compile.
    pub compile_limits: Option<CompileLimits>,
    pub link: LinkOptions,
    pub options: Options,
}

/// What compiling came to, once it has.
#[derive(Default)]
pub struct Code(OnceLock<Result<Arc<PluginSpec>, Failure>>);

impl Code {
    pub fn is_ready(&self) -> bool {
        self.0.get().is_some()
    }

    pub fn wait(&self) {
        self.0.wait();
    }

    pub fn get(&self) -> Result<Arc<PluginSpec>, Failure> {
        self.0.wait().clone()
    }

    pub fn identity(&self, inherited: Option<Identity>) -> Identity {
        match (self.0.get(), inherited) {
            (Some(Ok(plugin)), inherited) => plugin.identity(inherited),
            (_, Some(identity)) => identity,
            // No guest runs that could have variables.
            (_, None) => Identity {
                id: u32::MAX,
                variables: Arc::new(Variables::new(0)),
            },
        }
    }
}

/// A plugin that is linked, and still to be compiled.
pub struct Opening {
    pub pool: Arc<Pool>,
    linked: Arc<LinkedModule>,
    /// Of its units.
    bytes: Vec<ModuleBytes>,
    source: PluginSource,
}

impl Pool {
    /// Reads, checks and links the modules.
    pub fn open(mut source: PluginSource, queue: Arc<Queue>) -> Result<Opening, Failure> {
        faults::point("open");
        let engine = source.engine()?;
        instance::prepare(engine);
        let modules = std::mem::take(&mut source.modules).into_iter();
        let cache = source.cache.as_deref();
        let modules = modules.map(|(name, bytes)| {
            Module::read_unless(&name, bytes, |bytes| {
                compiled::is_known(engine, bytes, cache)
            })
        });
        let modules = modules.collect::<Result<Vec<_>, _>>()?;
        let signatures: Vec<_> = source
            .functions
            .iter()
            .map(HostFunction::signature)
            .collect();
        let mut linked = module::link(modules, &signatures, &source.link)?;
        let bytes = linked.take_bytes();
        let linked = Arc::new(linked);
        let mut used = linked.host_functions.iter();
        let needs_embedder =
            linked.uses_http || used.any(|used| source.functions[used.function].needs_embedder());
        let pool = Pool::new(
            linked.clone(),
            source.options.clone(),
            queue,
            needs_embedder,
        )?;
        Ok(Opening {
            pool,
            linked,
            bytes,
            source,
        })
    }
}

impl Pool {
    /// Whether somebody still waits for the code.
    fn is_needed(&self) -> bool {
        let state = self.state();
        !state.closed || !state.calls.is_empty()
    }

    /// Makes the first instance, on this thread. Nothing in it waits.
    fn prepare(&self, plugin: &Arc<PluginSpec>) -> Result<(), Failure> {
        engine::prepare_thread()?;
        let _runtime = threads::enter()?;
        let begun = Instant::now();
        let place = Place::new(self.queue.clone(), false, true);
        let call = CallState::idle(place);
        let mut instance = pin!(Instance::new(plugin.clone(), plugin.identity(None), call));
        let Poll::Ready(instance) = poll_while_woken(instance.as_mut()) else {
            let message = "an instance without start code waits for something";
            return Err(Failure::new(ErrorCode::Internal, message));
        };
        let instance = instance?;
        self.times.record_building(begun.elapsed());
        let mut state = self.state();
        if !state.closed {
            state.live += 1;
            state.idle.push(instance);
        }
        Ok(())
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// Polls a future again as long as it wakes itself: wasmtime's garbage collector yields between
/// its steps, and the initial value of a global can be what it makes room for.
fn poll_while_woken<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(woken.clone());
    while woken.0.swap(false, Relaxed) {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Poll::Ready(output);
        }
    }
    Poll::Pending
}

impl PluginSource {
    fn engine(&self) -> Result<&'static engine::Engine, Failure> {
        engine::engine(EngineClass {
            fuel: self.limits.fuel.is_some(),
            stack: StackClass::for_bytes(self.stack_bytes),
        })
    }
}

impl Opening {
    /// Compiles, and makes an instance where that runs no code of the guest. From then on calls
    /// run. Where compiling fails, they fail with this; where it is the instance, they try again.
    pub fn compile(self) -> Result<Arc<Pool>, Failure> {
        let pool = self.pool.clone();
        let plugin = contain(|| self.plugin());
        let prepared = match &plugin {
            Ok(plugin) if !plugin.linked.has_start => contain(|| pool.prepare(plugin)),
            plugin => plugin.as_ref().map(|_| ()).map_err(Clone::clone),
        };
        // Nobody else sets it.
        let _ = pool.code.0.set(plugin);
        pool.announce(pool.state());
        prepared.map(|()| pool)
    }

    fn plugin(self) -> Result<Arc<PluginSpec>, Failure> {
        faults::point("compile");
        let Self {
            pool,
            linked,
            bytes,
            source,
        } = self;
        let engine = source.engine()?;
        let cache = source.cache.as_deref();
        let is_needed = || pool.is_needed();
        let limits = source.compile_limits.as_ref();
        let compiler = limits.map(|limits| ChildCompiler::new(limits, &is_needed));
        let units = linked.units.iter().zip(bytes);
        let units = units.map(|(unit, bytes)| {
            compiled::compile(engine, &bytes, cache, compiler.as_ref()).map_err(|failure| {
                let Failure { code, message, .. } = failure;
                let what = match code {
                    ErrorCode::Closed => message,
                    ErrorCode::Module => format!("module \"{}\" is invalid: {message}", unit.name),
                    _ => format!("module \"{}\" cannot be compiled: {message}", unit.name),
                };
                Failure::new(code, what)
            })
        });
        let code = units.collect::<Result<Vec<_>, _>>()?;
        let used = linked.host_functions.iter().map(|used| HostFunction {
            types: Some(used.types.clone()),
            ..source.functions[used.function].clone()
        });
        let used: Vec<_> = used.collect();
        let linker = PluginLinker::new(engine, &used, &source.http)?;
        let wasi = match linked.uses_wasi {
            true => source.wasi,
            false => WasiOptions::default(),
        };
        // What is wrong with a directory is said now.
        Wasi::new(&wasi)?;
        Ok(Arc::new(PluginSpec {
            linked,
            code,
            engine,
            linker,
            off_thread: source.options.off_thread,
            logger: source.logger,
            output: source.output,
            config: source.config,
            wasi,
            variables: source.variables,
            limits: source.limits,
            codes_are_errors: source.codes_are_errors,
        }))
    }
}
