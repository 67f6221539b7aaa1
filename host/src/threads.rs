//! The tokio runtime of this package: it drives timers and WASI, and has the threads that block
//! on compilers and files.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::runtime::{Builder, EnterGuard, Runtime};

use crate::error::{Code, Failure};
use crate::faults;
use crate::sync::lock;

const STACK_BYTES: usize = 2 << 20;
/// Compilers, and operations on files that wait for the system.
const MAX_BLOCKING_THREADS: usize = 512;

fn runtime() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let build = || {
        Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .thread_stack_size(STACK_BYTES)
            .thread_name("extism-io")
            .enable_time()
            .build()
    };
    catch_unwind(|| RUNTIME.get_or_init(build).as_ref())
        .map_err(|_| no_thread())?
        .map_err(|error| Failure::new(Code::Internal, format!("cannot start threads: {error}")))
}

/// Gives this thread the runtime's timers and files while the guard lives.
pub fn enter() -> Result<EnterGuard<'static>, Failure> {
    Ok(runtime()?.enter())
}

/// Runs a job on a thread that may block.
pub fn spawn_blocking(job: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let runtime = runtime()?;
    let job = Arc::new(Mutex::new(Some(job)));
    let place = job.clone();
    let run = move || {
        let job = lock(&place).take();
        job.map_or((), |job| job())
    };
    // It panics where there is no thread to be had, and yet keeps the job for later.
    catch_unwind(AssertUnwindSafe(|| {
        faults::point("thread");
        drop(runtime.spawn_blocking(run));
    }))
    .map_err(|_| {
        lock(&job).take();
        no_thread()
    })
}

pub fn no_thread() -> Failure {
    Failure::new(Code::Internal, "the system has no thread for this")
}

/// Runs a task that never blocks.
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), Failure> {
    runtime()?.spawn(task);
    Ok(())
}

/// Makes a failure of a panic.
pub fn contain<T>(f: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// A failure for a panic.
pub fn panicked(payload: &(dyn Any + Send)) -> Failure {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "a panic without a message".to_owned());
    Failure::new(Code::Internal, text)
}
