//! Where a task is polled next.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use super::queue::{Event, Queue};
use super::workers;

pub type Runnable = async_task::Runnable<Arc<Place>>;

/// A task's place: it moves between the thread that called and the workers.
pub struct Place {
    /// Of the thread that called, which answers host functions.
    pub queue: Arc<Queue>,
    on_worker: AtomicBool,
    /// It stays on the thread that called, which waits for it.
    pinned: bool,
    /// How often it has yielded on a worker.
    yields: AtomicU32,
}

impl Place {
    pub fn new(queue: Arc<Queue>, on_worker: bool, pinned: bool) -> Arc<Self> {
        Arc::new(Self {
            queue,
            on_worker: AtomicBool::new(on_worker && !pinned),
            pinned,
            yields: AtomicU32::new(0),
        })
    }

    /// From the next poll on, a worker polls the task.
    pub fn move_to_worker(&self) {
        self.on_worker.store(!self.pinned, Relaxed);
    }

    /// From the next poll on, the thread that called polls the task.
    pub fn move_home(&self) {
        self.on_worker.store(false, Relaxed);
    }

    pub fn is_on_worker(&self) -> bool {
        self.on_worker.load(Relaxed)
    }

    /// Its slice is used up.
    pub fn yielded(&self) {
        self.yields.fetch_add(1, Relaxed);
        self.move_to_worker();
    }

    pub fn is_long(&self) -> bool {
        self.yields.load(Relaxed) > 0
    }
}

/// A task at its place. It is not polled yet.
pub fn spawn(place: Arc<Place>, future: impl Future<Output = ()> + Send + 'static) -> Runnable {
    let (runnable, task) = async_task::Builder::new()
        .metadata(place)
        .spawn(|_| future, schedule);
    task.detach();
    runnable
}

thread_local! {
    /// Set while [`capture`] waits for a task of this thread.
    static CAPTURED: RefCell<Option<Option<Runnable>>> = const { RefCell::new(None) };
}

/// Wakes a task of this thread: the task, which is to be polled at once.
pub fn capture(wake: impl FnOnce()) -> Option<Runnable> {
    let outer = CAPTURED.replace(Some(None));
    wake();
    CAPTURED.replace(outer).flatten()
}

fn schedule(runnable: Runnable) {
    let place = runnable.metadata().clone();
    if place.is_on_worker() {
        return workers::push(runnable);
    }
    let mut runnable = Some(runnable);
    if place.queue.is_current() {
        CAPTURED.with_borrow_mut(|captured| {
            if let Some(free @ None) = captured {
                *free = runnable.take();
            }
        });
    }
    if let Some(runnable) = runnable {
        place.queue.push(Event::Run(runnable));
    }
}
