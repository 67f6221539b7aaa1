//! A queue in front of a plugin's instances: which call gets which instance and runs where, when
//! one more instance is made, and what is refused.

mod admission;
mod open;
mod scheduler;
mod serving;
mod state;
mod stats;
mod times;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use crate::call::{Call, Outcome};
use crate::error::{Code, Failure};
use crate::executor::{Event, Queue};
use crate::module::LinkedModule;
use crate::sync::lock;
use crate::variables::Variables;
use crate::watchdog::{self, Watched};

use open::Code as CompiledCode;
pub use open::{Opening, PluginSource};
use state::State;
use stats::Stats;
use times::Times;

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
    /// Whether guests run on workers only.
    pub off_thread: bool,
    /// Whether each call has an instance of its own.
    pub fresh: bool,
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
    /// Calls that a worker has polled.
    pub moved: u64,
}

pub struct Pool {
    pub linked: Arc<LinkedModule>,
    options: Options,
    needs_embedder: bool,
    /// Of the thread that the plugin belongs to.
    queue: Arc<Queue>,
    /// What compiling came to, once it has.
    code: CompiledCode,
    stats: Stats,
    times: Times,
    state: Mutex<State>,
}

impl Pool {
    fn new(
        linked: Arc<LinkedModule>,
        options: Options,
        queue: Arc<Queue>,
        needs_embedder: bool,
    ) -> Result<Arc<Self>, Failure> {
        let pool = Arc::new(Self {
            times: Times::new(linked.entry_points.len()),
            linked,
            options,
            needs_embedder,
            queue,
            code: CompiledCode::default(),
            stats: Stats::default(),
            state: Mutex::default(),
        });
        watchdog::watch(&(pool.clone() as Arc<dyn Watched>))?;
        Ok(pool)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub fn downgrade(self: &Arc<Self>) -> Weak<Self> {
        Arc::downgrade(self)
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Whether a call may need the thread of the plugin while it runs.
    pub fn needs_embedder(&self) -> bool {
        self.needs_embedder
    }

    /// Nobody has the plugin any longer, and nobody is to be told.
    pub fn forget(&self) {
        let mut state = self.state();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        state.live -= idle.len();
        crate::executor::discard(idle);
    }

    /// A call was refused that its thread was to wait for.
    pub fn refused(&self, failure: &Failure) {
        self.stats.settled(Some(failure.code));
    }

    /// The variables of one of its instances, by its number.
    pub fn variables(&self, instance: u32) -> Option<Arc<Variables>> {
        self.state().variables(instance)
    }

    /// Stops all that runs, or else the call that is the next to run. Whether there was anything.
    pub fn cancel_running(&self) -> bool {
        let mut ids: Vec<_> = self.state().running.keys().copied().collect();
        if ids.is_empty() {
            ids.extend(self.state().calls.keys().next());
        }
        ids.iter().filter(|&&id| self.cancel(id)).count() > 0
    }

    /// Stops one call, whether it waits or runs. Whether there was such a call.
    pub fn cancel(&self, id: u64) -> bool {
        self.stop(id, Failure::new(Code::Cancelled, "the call was cancelled"))
    }

    /// The same for any reason.
    pub fn stop(&self, id: u64, failure: Failure) -> bool {
        let mut state = self.state();
        if let Some(call) = state.calls.remove(&id) {
            let closers = state.drained();
            drop(state);
            self.settle(&call.queue, id, call.function, Err(failure));
            settle_all(closers);
            return true;
        }
        let running = state.running.get(&id).map(|running| running.call.clone());
        drop(state);
        running.is_some_and(|call| call.stop(failure))
    }

    /// Refuses further calls. Instances go as soon as accepted calls are over, and then the
    /// operation of this number is settled.
    pub fn close(&self, queue: &Arc<Queue>, operation: u64) {
        let closers = {
            let mut state = self.state();
            state.closed = true;
            state.closers.push((queue.clone(), operation));
            let idle = std::mem::take(&mut state.idle);
            state.live -= idle.len();
            crate::executor::discard(idle);
            state.drained()
        };
        settle_all(closers);
    }

    /// Refuses further calls, and fails those that wait or run: their thread is gone.
    pub fn abort(&self) {
        let (calls, running, closers) = {
            let mut state = self.state();
            state.closed = true;
            let idle = std::mem::take(&mut state.idle);
            state.live -= idle.len();
            crate::executor::discard(idle);
            let running = state.running.values().map(|running| running.call.clone());
            let running: Vec<_> = running.collect();
            let calls = std::mem::take(&mut state.calls);
            (calls, running, state.drained())
        };
        for (id, call) in calls {
            self.settle(&call.queue, id, call.function, Err(state::closed()));
        }
        settle_all(closers);
        for call in running {
            call.stop(state::closed());
        }
    }

    pub fn report(&self) -> Report {
        let (calls, replaced, moved, errors) = self.stats.totals();
        let state = self.state();
        let percentiles =
            |histogram: &stats::Histogram| [0.5, 0.99].map(|share| histogram.percentile(share));
        Report {
            calls,
            errors,
            replaced,
            moved,
            active: state.running.len(),
            queued: state.calls.len(),
            instances: state.live,
            run_time: percentiles(&self.stats.running),
            wait_time: percentiles(&self.stats.waiting),
        }
    }

    /// Tells whoever made a call how it ended.
    fn settle(&self, queue: &Queue, id: u64, function: Option<usize>, outcome: Outcome) {
        if self.put_settled(queue, id, function, outcome) {
            queue.wake();
        }
    }

    /// The same without waking the thread. Whether the caller has to.
    fn put_settled(
        &self,
        queue: &Queue,
        id: u64,
        function: Option<usize>,
        outcome: Outcome,
    ) -> bool {
        let name = function.and_then(|function| self.linked.entry_points.get(function));
        let outcome = outcome.map_err(|failure| match name {
            Some(entry) => failure.in_function(&entry.name),
            None => failure,
        });
        if function.is_some() {
            self.stats
                .settled(outcome.as_ref().err().map(|failure| failure.code));
        }
        queue.put(Event::Settled(id, outcome))
    }
}

/// Tells those who wait for a close.
fn settle_all(closers: Vec<(Arc<Queue>, u64)>) {
    for (queue, operation) in closers {
        queue.push(Event::Settled(operation, Ok(None)));
    }
}

impl Watched for Pool {
    /// Stops the calls whose time is up; when the next one's is.
    fn expire(&self, now: Instant) -> Option<Instant> {
        let (late, running, closers): (Vec<Call>, Vec<_>, _) = {
            let mut state = self.state();
            let late = state.take_late(now, self.options.queue_timeout);
            let running = state.running.values().map(|running| running.call.clone());
            let running = running.collect();
            (late, running, state.drained())
        };
        for call in late {
            let timeout = self.options.queue_timeout.unwrap_or_default().as_millis();
            let message = format!("the call waited longer than {timeout} ms (queueTimeoutMs)");
            let failure = Failure::new(Code::QueueTimeout, message);
            self.settle(&call.queue, call.id, call.function, Err(failure));
        }
        settle_all(closers);
        let running = running.iter().filter_map(|call| call.expire(now)).min();
        let waiting = self.state().next_late(self.options.queue_timeout);
        [running, waiting].into_iter().flatten().min()
    }
}
