//! Engines: one for each class of configuration in the process, made when it is first needed.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wasmparser::WasmFeatures;
use wasmtime::{Config, Strategy, WasmBacktraceDetails};

use crate::error::{Code, Failure};
use crate::ffi;
use crate::module::FEATURES;
use crate::sync::lock;
use crate::threads::contain;

/// Stack for the host functions that a guest calls on its fiber. Host code that overflows a fiber's
/// stack ends the process.
const HOST_STACK_BYTES: usize = 1 << 20;

/// What memories reserve where the address space is limited. A memory that outgrows its
/// reservation is copied into a larger one.
const SMALL_RESERVATION_BYTES: u64 = 16 << 20;
const SMALL_GUARD_BYTES: u64 = 64 << 10;

/// What cannot differ between the stores of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineClass {
    /// Whether compiled code counts instructions.
    pub fuel: bool,
    pub stack: StackClass,
}

/// How much stack a guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StackClass {
    /// 1 MiB.
    Small,
    /// 4 MiB.
    Medium,
    /// 16 MiB.
    Large,
}

impl StackClass {
    const COUNT: usize = 3;

    /// The smallest class with at least this many bytes, or the largest class.
    pub fn for_bytes(bytes: usize) -> Self {
        [StackClass::Small, StackClass::Medium]
            .into_iter()
            .find(|class| bytes <= class.bytes())
            .unwrap_or(StackClass::Large)
    }

    pub fn bytes(self) -> usize {
        match self {
            StackClass::Small => 1 << 20,
            StackClass::Medium => 4 << 20,
            StackClass::Large => 16 << 20,
        }
    }
}

impl EngineClass {
    const COUNT: usize = 2 * StackClass::COUNT;

    fn index(self) -> usize {
        usize::from(self.fuel) * StackClass::COUNT + self.stack as usize
    }

    fn config(self) -> Config {
        let mut config = Config::new();
        config
            .strategy(Strategy::Cranelift)
            .wasm_features(FEATURES, true)
            .wasm_features(WasmFeatures::THREADS, false)
            .epoch_interruption(true)
            .consume_fuel(self.fuel)
            .max_wasm_stack(self.stack.bytes())
            .async_stack_size(self.stack.bytes() + HOST_STACK_BYTES)
            // The default depends on an environment variable.
            .wasm_backtrace_details(WasmBacktraceDetails::Enable)
            .coredump_on_trap(false)
            .debug_info(false)
            .parallel_compilation(true)
            // Only component-model tasks need it.
            .concurrency_support(false)
            // Signal handlers instead, which `check_signal_handlers` can see.
            .macos_use_mach_ports(false);
        if ffi::is_address_space_limited() {
            config
                .memory_reservation(SMALL_RESERVATION_BYTES)
                .memory_reservation_for_growth(SMALL_RESERVATION_BYTES)
                .memory_guard_size(SMALL_GUARD_BYTES)
                .gc_heap_reservation(SMALL_RESERVATION_BYTES)
                .gc_heap_reservation_for_growth(SMALL_RESERVATION_BYTES)
                .gc_heap_guard_size(SMALL_GUARD_BYTES);
        }
        config
    }
}

/// Compiles and runs modules.
pub struct Engine {
    pub wasmtime: wasmtime::Engine,
    pub class: EngineClass,
    /// A digest of what decides, beside the module's bytes, what the compiled code is.
    pub fingerprint: [u8; 32],
}

impl Engine {
    fn new(class: EngineClass) -> Result<Self, Failure> {
        let wasmtime = build(&class.config())?;
        let mut hash = FingerprintHasher(Sha256::new_with_prefix(env!("CARGO_PKG_VERSION")));
        // The compatibility hash does not have to cover it. How large the stack is makes no
        // difference to the code.
        class.fuel.hash(&mut hash);
        wasmtime.precompile_compatibility_hash().hash(&mut hash);
        Ok(Self {
            fingerprint: hash.0.finalize().into(),
            wasmtime,
            class,
        })
    }

    /// An engine of the same configuration that compiles on the calling thread. What it compiles
    /// can be loaded into this one.
    pub(crate) fn single_threaded(&self) -> Result<wasmtime::Engine, Failure> {
        build(self.class.config().parallel_compilation(false))
    }
}

fn build(config: &Config) -> Result<wasmtime::Engine, Failure> {
    contain(|| {
        wasmtime::Engine::new(config).map_err(|error| {
            Failure::new(Code::Internal, format!("cannot make an engine: {error:#}"))
        })
    })
}

/// The engine hashes its configuration with `std::hash`, whose hashers have too few bits.
struct FingerprintHasher(Sha256);

impl Hasher for FingerprintHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

static ENGINES: [OnceLock<Engine>; EngineClass::COUNT] =
    [const { OnceLock::new() }; EngineClass::COUNT];

/// The signal handlers of the process right after the first engine was made.
static SIGNAL_HANDLERS: OnceLock<ffi::SignalHandlers> = OnceLock::new();

/// The engine of a class. All plugins of the process share it, and it is never dropped.
pub fn engine(class: EngineClass) -> Result<&'static Engine, Failure> {
    static MAKING: Mutex<()> = Mutex::new(());
    let place = &ENGINES[class.index()];
    if let Some(engine) = place.get() {
        return Ok(engine);
    }
    // `OnceLock::get_or_try_init` is not stable, and a failure must not be kept.
    let _alone = lock(&MAKING);
    // Errors of guests are part of normal operation; none is worth a backtrace of the host,
    // whatever RUST_BACKTRACE says.
    wasmtime::error::disable_backtrace();
    if place.get().is_none() {
        let engine = Engine::new(class)?;
        // `Engine::new` installs the handlers once for the process.
        SIGNAL_HANDLERS.get_or_init(ffi::signal_handlers);
        let _ = place.set(engine);
    }
    place
        .get()
        .ok_or_else(|| Failure::new(Code::Internal, "an engine was not kept"))
}

/// Lets the stores of all engines look at their deadlines.
pub fn increment_epochs() {
    for engine in ENGINES.iter().filter_map(OnceLock::get) {
        engine.wasmtime.increment_epoch();
    }
}

/// Gives this thread the signal stack that it needs to poll guests. Without that, the first poll
/// on a thread ends the process where the system has no memory for it.
pub fn prepare_thread() -> Result<(), Failure> {
    thread_local! {
        static IS_READY: Cell<bool> = const { Cell::new(false) };
    }
    if IS_READY.get() {
        return Ok(());
    }
    catch_unwind(wasmtime::Engine::tls_eager_initialize).map_err(|_| {
        let message = "the system has no address space for this thread's signal stack";
        Failure::new(Code::Internal, message)
    })?;
    IS_READY.set(true);
    Ok(())
}

/// How long the handlers are believed to be as they were.
const TRUST: Duration = Duration::from_millis(10);

/// Signals may have other handlers from now on.
static SIGNALS_CHANGED: AtomicBool = AtomicBool::new(true);

/// Has the next check look at the handlers, whenever the last one did.
pub fn signals_changed() {
    SIGNALS_CHANGED.store(true, Relaxed);
}

/// [`check_signal_handlers`] unless the last time was a moment ago: it takes system calls.
pub fn recheck_signal_handlers(now: Instant) -> Result<(), Failure> {
    thread_local! {
        static CHECKED: Cell<Option<Instant>> = const { Cell::new(None) };
    }
    let recent = CHECKED
        .get()
        .is_some_and(|checked| now.duration_since(checked) < TRUST);
    if recent && !SIGNALS_CHANGED.load(Relaxed) {
        return Ok(());
    }
    CHECKED.set(Some(now));
    SIGNALS_CHANGED.store(false, Relaxed);
    check_signal_handlers().inspect_err(|_| signals_changed())
}

/// Fails if a signal that tells of traps no longer reaches the runtime. A guest that traps would
/// then hang at the instruction that failed.
fn check_signal_handlers() -> Result<(), Failure> {
    let Some(installed) = SIGNAL_HANDLERS.get() else {
        return Ok(());
    };
    match ffi::replaced_signal(installed) {
        None => Ok(()),
        Some(name) => Err(Failure::new(
            Code::Signal,
            format!(
                "a listener for {name} replaced the signal handler of the runtime, which needs it to catch traps; add such a listener before the first plugin is made, and do not remove it"
            ),
        )),
    }
}

#[cfg(test)]
mod tests;
