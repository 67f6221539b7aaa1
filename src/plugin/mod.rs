//! A plugin: a queue in front of its instances.

mod queue;
mod serving;
mod state;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::call::{Call, Outcome, Settle, lost};
use crate::error::Failure;
use crate::instance::{Ended, Recipe};
use crate::threads::contain;
use crate::variables::Variables;
use crate::watchdog;
use queue::Queue;
pub use stats::Stats;

/// How a plugin runs its calls.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many instances it may have at the same time.
    pub instances: usize,
    /// How many calls may wait.
    pub max_queue: usize,
    /// How long a call may wait.
    pub queue_timeout: Option<Duration>,
    /// How long a call may run, unless it says otherwise.
    pub timeout: Option<Duration>,
}

/// What one call wants.
pub struct Request {
    /// The position in [`Blueprint::functions`](crate::module::Blueprint::functions).
    pub function: usize,
    pub input: Vec<u8>,
    /// How long it may run; the plugin's timeout where it says nothing.
    pub timeout: Option<Duration>,
    /// Whether it comes from a host function that this plugin waits for.
    pub nested: bool,
}

/// What a plugin does and has done.
#[derive(Debug)]
pub struct Report {
    pub calls: u64,
    pub errors: BTreeMap<&'static str, u64>,
    pub active: usize,
    pub queued: usize,
    pub instances: usize,
    pub replaced: u64,
    /// The median and the 99th percentile.
    pub run_time: [Duration; 2],
    pub wait_time: [Duration; 2],
}

#[derive(Clone)]
pub struct Plugin {
    queue: Arc<Queue>,
}

/// A plugin that may be gone.
pub struct WeakPlugin(Weak<Queue>);

impl WeakPlugin {
    pub fn upgrade(&self) -> Option<Plugin> {
        self.0.upgrade().map(|queue| Plugin { queue })
    }

    pub fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl Plugin {
    /// A plugin whose first instance is being built on another thread.
    pub fn new(recipe: Recipe, options: Options) -> Result<Self, Failure> {
        let queue = Queue::new(recipe, options);
        queue.start()?;
        Self { queue }.watch()
    }

    /// A plugin whose first instance is there.
    pub fn compiled(recipe: Recipe, options: Options) -> Result<Self, Failure> {
        let plugin = Self {
            queue: Queue::new(recipe, options),
        };
        plugin.queue.build()?;
        plugin.watch()
    }

    fn watch(self) -> Result<Self, Failure> {
        if self.queue.options.queue_timeout.is_some() {
            watchdog::watch(&(self.queue.clone() as Arc<_>))?;
        }
        Ok(self)
    }

    pub fn downgrade(&self) -> WeakPlugin {
        WeakPlugin(Arc::downgrade(&self.queue))
    }

    pub fn recipe(&self) -> &Recipe {
        &self.queue.recipe
    }

    /// Puts a call in the queue. `ticket` is settled whatever happens. The call's id, by which
    /// it can be cancelled.
    pub fn call(&self, request: Request, ticket: Box<dyn Settle>) -> u64 {
        let call = self.make(request, ticket);
        let timeout = self.queue.options.queue_timeout;
        let due = timeout.and_then(|timeout| call.queued.checked_add(timeout));
        let id = self.queue.push(call);
        // Not before it is there to be found.
        if let Some(due) = due {
            watchdog::expect(due);
        }
        id
    }

    /// Runs a call on this thread. Fails at once where every instance is running a call.
    pub fn call_sync(&self, request: Request) -> Outcome {
        let mut instance = self.queue.borrow()?;
        let (ticket, outcome) = std::sync::mpsc::channel();
        let call = self.make(request, Box::new(ticket));
        let usable = contain(|| match instance.serve_one(call) {
            Ended::Idle => Ok(()),
            Ended::Broken | Ended::Failed(_) => self.queue.renew(&mut instance),
        });
        self.queue.give_back(instance, usable);
        outcome.try_recv().unwrap_or_else(|_| Err(lost()))
    }

    fn make(&self, request: Request, ticket: Box<dyn Settle>) -> Call {
        Call {
            id: 0,
            function: request.function,
            input: request.input,
            timeout: request.timeout.or(self.queue.options.timeout),
            nested: request.nested,
            queued: Instant::now(),
            stats: self.queue.stats.clone(),
            ticket,
        }
    }

    /// The variables of one of its instances, by its number.
    pub fn variables(&self, instance: u32) -> Option<Arc<Variables>> {
        self.queue.variables(instance)
    }

    /// Stops what runs, or else the call that is the next to run. Whether there was one.
    pub fn cancel_running(&self) -> bool {
        self.queue.cancel_running()
    }

    /// Stops one call, whether it waits or runs. Whether there was such a call.
    pub fn cancel(&self, id: u64) -> bool {
        self.queue.cancel(id)
    }

    /// Refuses further calls. Instances go as soon as accepted calls are over, and then `ticket`
    /// is settled.
    pub fn close(&self, ticket: Option<Box<dyn Settle>>) {
        self.queue.close(ticket);
    }

    /// Refuses further calls, and fails those that wait or run.
    pub fn abort(&self) {
        self.queue.close(None);
        self.queue.abort();
    }

    pub fn report(&self) -> Report {
        let stats = &self.queue.stats;
        let (calls, replaced, errors) = stats.totals();
        let load = self.queue.load();
        let percentiles =
            |histogram: &stats::Histogram| [0.5, 0.99].map(|share| histogram.percentile(share));
        Report {
            calls,
            errors,
            replaced,
            active: load.active,
            queued: load.queued,
            instances: load.instances,
            run_time: percentiles(&stats.running),
            wait_time: percentiles(&stats.waiting),
        }
    }
}
