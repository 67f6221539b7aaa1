//! A plugin: a queue in front of its instances.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

use crate::call::{Call, Settle};
use crate::error::{Code, Failure};
use crate::instance::{Ended, Instance, Recipe, Slot, Source};
use crate::sync::{SPIN, lock, spin, wait_for};
use crate::threads;

/// How long an instance keeps its thread for the next call. Waking a waiting thread takes a
/// fraction of what it takes to hand over an instance and to enter the runtime again.
const LINGER: Duration = Duration::from_millis(50);

/// How many instances a plugin may have at the same time.
const INSTANCES: usize = 1;

#[derive(Clone)]
pub struct Plugin {
    shared: Arc<Shared>,
}

/// A plugin that may be gone.
pub struct WeakPlugin(Weak<Shared>);

impl WeakPlugin {
    pub fn upgrade(&self) -> Option<Plugin> {
        self.0.upgrade().map(|shared| Plugin { shared })
    }

    pub fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }
}

struct Shared {
    recipe: Arc<Recipe>,
    timeout: Option<Duration>,
    queue: Mutex<Queue>,
    arrived: Condvar,
    /// How many calls are in the queue, for those who look without the lock.
    queued: AtomicUsize,
}

#[derive(Default)]
struct Queue {
    calls: VecDeque<Call>,
    idle: Vec<Instance>,
    /// Instances that have a thread, or are getting one.
    active: usize,
    /// Those of them that wait for a call, and how many of these are being woken.
    waiting: usize,
    woken: usize,
    /// How many look for a call without the lock.
    looking: usize,
    slots: Vec<Arc<Slot>>,
    closed: bool,
}

/// What happens to calls that a plugin has accepted when it is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Close {
    Drain,
    Abort,
}

impl Plugin {
    /// A plugin whose first instance is being built on another thread.
    pub fn new(recipe: Recipe, timeout: Option<Duration>) -> Result<Self, Failure> {
        let plugin = Self {
            shared: Arc::new(Shared {
                recipe: Arc::new(recipe),
                timeout,
                queue: Mutex::default(),
                arrived: Condvar::new(),
                queued: AtomicUsize::new(0),
            }),
        };
        lock(&plugin.shared.queue).active = 1;
        plugin.start(None)?;
        Ok(plugin)
    }

    pub fn downgrade(&self) -> WeakPlugin {
        WeakPlugin(Arc::downgrade(&self.shared))
    }

    pub fn recipe(&self) -> &Recipe {
        &self.shared.recipe
    }

    /// Puts a call in the queue. `ticket` is settled whatever happens. The call's id, by which
    /// it can be cancelled.
    pub fn call(&self, function: usize, input: Vec<u8>, ticket: Box<dyn Settle>) -> u64 {
        static IDS: AtomicU64 = AtomicU64::new(1);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let timeout = self.shared.timeout;
        let call = Call {
            id,
            function,
            input,
            timeout,
            ticket,
        };
        let mut queue = lock(&self.shared.queue);
        if queue.closed {
            drop(queue);
            call.settle(Err(closed()));
            return id;
        }
        queue.calls.push_back(call);
        self.shared
            .queued
            .store(queue.calls.len(), Ordering::Release);
        if queue.looking >= queue.calls.len() {
            // One of those who look finds it.
        } else if queue.waiting > queue.woken {
            queue.woken += 1;
            drop(queue);
            self.shared.arrived.notify_one();
        } else if queue.active < INSTANCES {
            queue.active += 1;
            let instance = queue.idle.pop();
            drop(queue);
            if let Err(failure) = self.start(instance) {
                self.shared.give_up(&failure);
            }
        }
        id
    }

    /// Stops what runs. Whether anything did.
    pub fn cancel(&self) -> bool {
        let slots = lock(&self.shared.queue).slots.clone();
        let failure = Failure::new(Code::Cancelled, "the call was cancelled");
        let stopped = slots.iter().filter(|slot| slot.stop(None, failure.clone()));
        stopped.count() > 0
    }

    /// Refuses further calls. Instances go as soon as their calls are over.
    pub fn close(&self, how: Close) {
        let mut queue = lock(&self.shared.queue);
        queue.closed = true;
        let idle = std::mem::take(&mut queue.idle);
        let (slots, calls) = match how {
            Close::Drain => Default::default(),
            Close::Abort => (queue.slots.clone(), std::mem::take(&mut queue.calls)),
        };
        drop(queue);
        self.shared.arrived.notify_all();
        for call in calls {
            call.settle(Err(closed()));
        }
        for slot in slots {
            slot.stop(None, closed());
        }
        if !idle.is_empty() {
            // Unmapping memory takes its time. If no thread is to be had, it happens here.
            let _ = threads::spawn_blocking(move || drop(idle));
        }
    }

    fn start(&self, instance: Option<Instance>) -> Result<(), Failure> {
        let shared = self.shared.clone();
        threads::spawn_blocking(move || run(&shared, instance))
    }
}

fn closed() -> Failure {
    Failure::new(Code::Closed, "the plugin is closed")
}

/// Runs one instance on this thread until it has nothing to do.
fn run(shared: &Arc<Shared>, mut instance: Option<Instance>) {
    loop {
        let serving = match &mut instance {
            Some(serving) => serving,
            None => match Instance::new(
                shared.recipe.clone(),
                Arc::new(Feed {
                    shared: shared.clone(),
                    hurried: AtomicBool::new(false),
                }),
            ) {
                Ok(built) => {
                    lock(&shared.queue).slots.push(built.slot().clone());
                    instance.insert(built)
                }
                Err(failure) => return shared.give_up(&failure),
            },
        };
        if serving.serve() == Ended::Broken
            && let Err(failure) = serving.renew()
        {
            lock(&shared.queue)
                .slots
                .retain(|slot| !Arc::ptr_eq(slot, serving.slot()));
            drop(instance);
            return shared.give_up(&failure);
        }
        let mut queue = lock(&shared.queue);
        if queue.calls.is_empty() {
            queue.active -= 1;
            if !queue.closed {
                queue.idle.extend(instance);
            }
            return;
        }
    }
}

impl Shared {
    /// There is no instance to be had: every call that waits for one fails with the reason.
    fn give_up(&self, failure: &Failure) {
        let mut queue = lock(&self.queue);
        queue.active -= 1;
        let calls = std::mem::take(&mut queue.calls);
        drop(queue);
        for call in calls {
            call.settle(Err(failure.clone()));
        }
    }
}

/// The queue, as an instance sees it.
struct Feed {
    shared: Arc<Shared>,
    /// Whether the last call came soon enough that looking for the next one is worth it.
    hurried: AtomicBool,
}

impl Source for Feed {
    fn next(&self) -> Option<Call> {
        let shared = &self.shared;
        let start = Instant::now();
        let mut queue = lock(&shared.queue);
        loop {
            if let Some(call) = queue.calls.pop_front() {
                shared.queued.store(queue.calls.len(), Ordering::Release);
                drop(queue);
                self.hurried
                    .store(start.elapsed() < SPIN, Ordering::Relaxed);
                return Some(call);
            }
            let waited = start.elapsed();
            if queue.closed || waited >= LINGER {
                return None;
            }
            if waited < SPIN && self.hurried.load(Ordering::Relaxed) {
                queue.looking += 1;
                drop(queue);
                spin(start, || shared.queued.load(Ordering::Acquire) != 0);
                queue = lock(&shared.queue);
                queue.looking -= 1;
                continue;
            }
            queue.waiting += 1;
            queue = wait_for(&shared.arrived, queue, LINGER - waited);
            queue.waiting -= 1;
            queue.woken = queue.woken.saturating_sub(1);
        }
    }

    fn put_back(&self, call: Call) {
        let mut queue = lock(&self.shared.queue);
        queue.calls.push_front(call);
        self.shared
            .queued
            .store(queue.calls.len(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
