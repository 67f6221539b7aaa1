//! The threads that may block: one tokio runtime of our own, started on first use.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::runtime::{Builder, Runtime};

use crate::error::{Code, Failure};
use crate::faults;
use crate::sync::lock;

/// A guest gets 1 MiB of its thread's stack at most; host functions run on what is left.
const STACK_BYTES: usize = 2 << 20;
/// A guest that waits for JavaScript keeps its thread, so this bounds how many can wait.
const MAX_THREADS: usize = 4096;

fn runtime() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let build = || {
        Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(MAX_THREADS)
            .thread_stack_size(STACK_BYTES)
            .thread_name("extism-napi")
            .enable_time()
            .build()
    };
    catch_unwind(|| RUNTIME.get_or_init(build).as_ref())
        .map_err(|_| no_thread())?
        .map_err(|error| Failure::new(Code::Internal, format!("cannot start threads: {error}")))
}

/// One of the threads that there may be, until it is dropped. A job that waited for one could be
/// what those that have one wait for.
struct Thread;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

impl Thread {
    fn take() -> Result<Self, Failure> {
        let thread = Self;
        match TAKEN.fetch_add(1, Relaxed) < MAX_THREADS {
            true => Ok(thread),
            false => Err(no_thread()),
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        TAKEN.fetch_sub(1, Relaxed);
    }
}

/// Runs a job on a thread that may block.
pub fn spawn_blocking(job: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let runtime = runtime()?;
    let thread = Thread::take()?;
    let job = Arc::new(Mutex::new(Some(job)));
    let place = job.clone();
    let run = move || {
        let _thread = thread;
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

fn no_thread() -> Failure {
    Failure::new(Code::Internal, "the system has no thread for this")
}

/// Runs a task that never blocks.
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), Failure> {
    runtime()?.spawn(task);
    Ok(())
}

/// Makes a failure of a panic.
pub fn contain<T>(f: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(f))
        .unwrap_or_else(|panic| Err(Failure::new(Code::Internal, panic_message(&*panic))))
}

/// What a panic said.
pub fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
