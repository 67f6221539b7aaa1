//! The queue of one plugin, and the instances that take calls from it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::Options;
use super::stats::Stats;
use crate::call::{Call, Settle};
use crate::error::{Code, Failure};
use crate::instance::{Begun, Ended, Instance, Recipe, Slot, Source};
use crate::sync::{SPIN, lock, spin, wait_for};
use crate::threads;
use crate::watchdog::Watched;

/// How long an instance keeps its thread for the next call. Waking a waiting thread takes a
/// fraction of what it takes to hand over an instance and to enter the runtime again.
const LINGER: Duration = Duration::from_millis(50);

pub struct Queue {
    pub recipe: Arc<Recipe>,
    pub options: Options,
    pub stats: Arc<Stats>,
    state: Mutex<State>,
    /// Something came that those who wait for a call, or for an instance, have to see.
    arrived: Condvar,
    freed: Condvar,
    /// How many calls are in the queue, for those who look without the lock.
    queued: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// By id, and so in the order they came.
    calls: BTreeMap<u64, Call>,
    next_id: u64,
    idle: Vec<Instance>,
    /// Instances that have a thread, or are getting one.
    active: usize,
    /// Those of them that wait for a call, and how many of these are being woken.
    waiting: usize,
    woken: usize,
    /// How many look for a call without the lock.
    looking: usize,
    /// How many callers wait for an instance to run a call on their own thread.
    borrowers: usize,
    slots: Vec<Arc<Slot>>,
    closed: bool,
    /// Who waits for the last instance to be done after a close.
    closers: Vec<Box<dyn Settle>>,
}

impl State {
    /// One instance has nothing to do any longer. Who is to be told that this was the last.
    fn deactivate(&mut self) -> Vec<Box<dyn Settle>> {
        self.active -= 1;
        self.drained()
    }

    fn drained(&mut self) -> Vec<Box<dyn Settle>> {
        if self.closed && self.active == 0 {
            std::mem::take(&mut self.closers)
        } else {
            Vec::new()
        }
    }
}

fn settle_all(tickets: Vec<Box<dyn Settle>>) {
    for ticket in tickets {
        ticket.settle(Ok(None));
    }
}

/// What a plugin is doing now.
pub struct Load {
    pub queued: usize,
    pub active: usize,
    pub instances: usize,
}

impl Queue {
    pub fn new(recipe: Recipe, options: Options) -> Arc<Self> {
        Arc::new(Self {
            recipe: Arc::new(recipe),
            options,
            stats: Arc::default(),
            state: Mutex::default(),
            arrived: Condvar::new(),
            freed: Condvar::new(),
            queued: AtomicUsize::new(0),
        })
    }

    /// Has the first instance built on another thread.
    pub fn start(self: &Arc<Self>) -> Result<(), Failure> {
        self.state().active += 1;
        self.spawn(None)
    }

    /// Builds the first instance.
    pub fn build(self: &Arc<Self>) -> Result<(), Failure> {
        let instance = self.instance()?;
        self.state().idle.push(instance);
        Ok(())
    }

    fn instance(self: &Arc<Self>) -> Result<Instance, Failure> {
        let instance = Instance::new(self.recipe.clone(), Feed::of(self))?;
        self.state().slots.push(instance.slot().clone());
        Ok(instance)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Changes the calls that wait.
    fn with_calls<T>(
        &self,
        state: &mut State,
        change: impl FnOnce(&mut BTreeMap<u64, Call>) -> T,
    ) -> T {
        let result = change(&mut state.calls);
        self.queued.store(state.calls.len(), Ordering::Release);
        result
    }

    /// Admits a call, and sees to it that somebody takes it. Its id; it may have been settled.
    pub fn push(self: &Arc<Self>, mut call: Call, nested: bool) -> u64 {
        let mut state = self.state();
        state.next_id += 1;
        call.id = state.next_id;
        let id = call.id;
        if let Err(failure) = self.admit(&state, nested) {
            drop(state);
            call.settle(Err(failure));
            return id;
        }
        self.with_calls(&mut state, |calls| calls.insert(id, call));
        if state.looking >= state.calls.len() {
            // One of those who look finds it.
        } else if state.waiting > state.woken {
            state.woken += 1;
            drop(state);
            self.arrived.notify_one();
        } else if state.active < self.options.instances {
            state.active += 1;
            let instance = state.idle.pop();
            drop(state);
            if let Err(failure) = self.spawn(instance) {
                self.give_up(&failure);
            }
        }
        id
    }

    fn admit(&self, state: &State, nested: bool) -> Result<(), Failure> {
        if state.closed {
            return Err(closed());
        }
        let busy = || {
            state
                .slots
                .iter()
                .filter(|slot| slot.running().is_some())
                .count()
        };
        if nested && busy() + state.calls.len() >= self.options.instances {
            let message = "a host function called its own plugin, which has no free instance";
            return Err(Failure::new(Code::Reentrant, message));
        }
        let limit = self.options.max_queue;
        if state.calls.len() >= limit {
            let message = format!("{limit} calls are waiting, and no more may (maxQueue)");
            return Err(Failure::new(Code::QueueFull, message));
        }
        Ok(())
    }

    /// Takes an instance to run one call on this thread, waiting for one that is being built
    /// or lets go of its own thread, but for none that runs a call.
    pub fn borrow(&self) -> Result<Instance, Failure> {
        let mut state = self.state();
        state.borrowers += 1;
        let result = loop {
            if state.closed {
                break Err(closed());
            }
            if let Some(instance) = state.idle.pop() {
                state.active += 1;
                break Ok(instance);
            }
            let busy = state
                .slots
                .iter()
                .filter(|slot| slot.running().is_some())
                .count();
            if !state.calls.is_empty() || state.active == 0 || busy >= state.active {
                let message = "the plugin is running another call";
                break Err(Failure::new(Code::Busy, message));
            }
            self.arrived.notify_all();
            state = wait_for(&self.freed, state, LINGER);
        };
        state.borrowers -= 1;
        result
    }

    /// Takes a borrowed instance back, unless it is of no further use.
    pub fn give_back(self: &Arc<Self>, instance: Instance, usable: Result<(), Failure>) {
        if let Err(failure) = usable {
            return self.discard(instance, &failure);
        }
        let mut state = self.state();
        if !state.calls.is_empty() {
            drop(state);
            if let Err(failure) = self.spawn(Some(instance)) {
                self.give_up(&failure);
            }
            return;
        }
        if !state.closed {
            state.idle.push(instance);
        }
        let closers = state.deactivate();
        drop(state);
        settle_all(closers);
    }

    /// Stops one call, whether it waits or runs. Whether there was such a call.
    pub fn cancel(&self, id: u64) -> bool {
        let mut state = self.state();
        if let Some(call) = self.with_calls(&mut state, |calls| calls.remove(&id)) {
            drop(state);
            call.settle(Err(cancelled()));
            return true;
        }
        state
            .slots
            .iter()
            .any(|slot| slot.stop(Some(id), cancelled()))
    }

    /// Stops what runs, or else the call that is the next to run. Whether there was one.
    pub fn cancel_running(&self) -> bool {
        let mut state = self.state();
        let stopped = state
            .slots
            .iter()
            .filter(|slot| slot.stop(None, cancelled()));
        if stopped.count() > 0 {
            return true;
        }
        let next = self.with_calls(&mut state, BTreeMap::pop_first);
        drop(state);
        next.map(|(_, call)| call.settle(Err(cancelled())))
            .is_some()
    }

    /// The slots of all instances.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.state().slots.clone()
    }

    pub fn load(&self) -> Load {
        let state = self.state();
        let running = state.slots.iter().filter(|slot| slot.running().is_some());
        Load {
            queued: state.calls.len(),
            active: running.count(),
            instances: state.slots.len(),
        }
    }

    /// Admits nothing further and lets idle instances go; with `abort`, also what waits.
    /// `ticket` is settled when nothing runs any longer.
    pub fn close(&self, abort: bool, ticket: Option<Box<dyn Settle>>) {
        let mut state = self.state();
        state.closed = true;
        state.closers.extend(ticket);
        let closers = state.drained();
        let idle = std::mem::take(&mut state.idle);
        let calls = match abort {
            true => self.with_calls(&mut state, std::mem::take),
            false => BTreeMap::new(),
        };
        drop(state);
        self.arrived.notify_all();
        self.freed.notify_all();
        for call in calls.into_values() {
            call.settle(Err(closed()));
        }
        if !idle.is_empty() {
            // Unmapping memory takes its time. If no thread is to be had, it happens here.
            let _ = threads::spawn_blocking(move || drop(idle));
        }
        settle_all(closers);
    }

    fn spawn(self: &Arc<Self>, instance: Option<Instance>) -> Result<(), Failure> {
        let queue = self.clone();
        threads::spawn_blocking(move || queue.run(instance))
    }

    /// Runs one instance on this thread until it has nothing to do.
    fn run(self: &Arc<Self>, mut instance: Option<Instance>) {
        loop {
            let serving = match &mut instance {
                Some(serving) => serving,
                None => match self.instance() {
                    Ok(built) => instance.insert(built),
                    Err(failure) => return self.give_up(&failure),
                },
            };
            if serving.serve() == Ended::Broken {
                self.stats.replaced();
                if let Err(failure) = serving.renew()
                    && let Some(instance) = instance
                {
                    return self.discard(instance, &failure);
                }
            }
            let mut state = self.state();
            if state.calls.is_empty() {
                if !state.closed {
                    state.idle.extend(instance);
                }
                let closers = state.deactivate();
                drop(state);
                settle_all(closers);
                return self.freed.notify_all();
            }
        }
    }

    fn discard(&self, instance: Instance, failure: &Failure) {
        let slot = instance.slot().clone();
        drop(instance);
        self.state()
            .slots
            .retain(|known| !Arc::ptr_eq(known, &slot));
        self.give_up(failure);
    }

    /// There is one instance less to be had. If it was the last one, every call that waits
    /// fails with the reason.
    fn give_up(&self, failure: &Failure) {
        let mut state = self.state();
        let closers = state.deactivate();
        let calls = match state.active {
            0 => self.with_calls(&mut state, std::mem::take),
            _ => BTreeMap::new(),
        };
        drop(state);
        self.freed.notify_all();
        for call in calls.into_values() {
            call.settle(Err(failure.clone()));
        }
        settle_all(closers);
    }
}

fn cancelled() -> Failure {
    Failure::new(Code::Cancelled, "the call was cancelled")
}

pub fn closed() -> Failure {
    Failure::new(Code::Closed, "the plugin is closed")
}

impl Watched for Queue {
    /// Fails the calls that have waited too long; the one in front has waited longest.
    fn expire(&self, now: Instant) -> Option<Instant> {
        let timeout = self.options.queue_timeout?;
        let mut late = Vec::new();
        let mut state = self.state();
        let next = loop {
            let due = state
                .calls
                .first_key_value()
                .and_then(|(_, call)| call.queued.checked_add(timeout));
            match due {
                Some(due) if due <= now => {
                    late.extend(self.with_calls(&mut state, BTreeMap::pop_first))
                }
                due => break due,
            }
        };
        drop(state);
        for (_, call) in late {
            let message = format!(
                "the call waited longer than {} ms (queueTimeoutMs)",
                timeout.as_millis()
            );
            call.settle(Err(Failure::new(Code::QueueTimeout, message)));
        }
        next
    }
}

/// The queue, as an instance sees it.
struct Feed {
    queue: Arc<Queue>,
    /// Whether the last call came soon enough that looking for the next one is worth it.
    hurried: AtomicBool,
}

impl Feed {
    fn of(queue: &Arc<Queue>) -> Arc<dyn Source> {
        Arc::new(Self {
            queue: queue.clone(),
            hurried: AtomicBool::new(false),
        })
    }
}

impl Source for Feed {
    /// A call leaves the queue and enters the slot in one step: whoever looks for it finds it.
    fn begin_next(&self, slot: &Slot) -> Begun {
        let queue = &self.queue;
        let start = Instant::now();
        let mut state = queue.state();
        loop {
            if let Some((id, call)) = queue.with_calls(&mut state, BTreeMap::pop_first) {
                let queued = call.queued;
                if let Err(call) = slot.begin(call, false) {
                    queue.with_calls(&mut state, |calls| calls.insert(id, call));
                    return Begun::Refused;
                }
                drop(state);
                self.hurried
                    .store(start.elapsed() < SPIN, Ordering::Relaxed);
                queue.stats.waiting.record(queued.elapsed());
                return Begun::Call;
            }
            let waited = start.elapsed();
            if state.closed || state.borrowers > 0 || waited >= LINGER {
                return Begun::Nothing;
            }
            if waited < SPIN && self.hurried.load(Ordering::Relaxed) {
                state.looking += 1;
                drop(state);
                spin(start, || queue.queued.load(Ordering::Acquire) != 0);
                state = queue.state();
                state.looking -= 1;
                continue;
            }
            state.waiting += 1;
            state = wait_for(&queue.arrived, state, LINGER - waited);
            state.waiting -= 1;
            state.woken = state.woken.saturating_sub(1);
        }
    }

    fn ran(&self, duration: Duration) {
        self.queue.stats.running.record(duration);
    }
}
