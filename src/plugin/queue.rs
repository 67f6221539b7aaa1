//! The queue of one plugin: which calls get in, and how they leave it unserved.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use super::Options;
use super::serving::Feed;
use super::state::{State, closed};
use super::stats::Stats;
use crate::call::{Call, Settle};
use crate::error::{Code, Failure};
use crate::faults;
use crate::instance::{Instance, Recipe};
use crate::sync::lock;
use crate::threads::{self, contain};
use crate::variables::Variables;
use crate::watchdog::Watched;

pub struct Queue {
    pub recipe: Arc<Recipe>,
    pub options: Options,
    pub stats: Arc<Stats>,
    state: Mutex<State>,
    /// Something came that those who wait for a call, or for an instance, have to see.
    pub(super) arrived: Condvar,
    pub(super) freed: Condvar,
    /// How many calls are in the queue, for those who look without the lock.
    pub(super) queued: AtomicUsize,
}

pub(super) fn settle_all(tickets: Vec<Box<dyn Settle>>) {
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

    pub(super) fn instance(self: &Arc<Self>) -> Result<Instance, Failure> {
        let inherited = self.state().inheritance.pop();
        let instance = contain(|| {
            let source = Feed::of(self);
            Instance::new(self.recipe.clone(), source, inherited.clone())
        });
        let mut state = self.state();
        match &instance {
            Ok(instance) => state.slots.push(instance.slot().clone()),
            Err(_) => state.inheritance.extend(inherited),
        }
        drop(state);
        instance
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Changes the calls that wait.
    pub(super) fn with_calls<T>(
        &self,
        state: &mut State,
        change: impl FnOnce(&mut BTreeMap<u64, Call>) -> T,
    ) -> T {
        let result = change(&mut state.calls);
        self.queued.store(state.calls.len(), Ordering::Release);
        result
    }

    /// Admits a call, and sees to it that somebody takes it. Its id; it may have been settled.
    pub fn push(self: &Arc<Self>, mut call: Call) -> u64 {
        let mut state = self.state();
        state.next_id += 1;
        call.id = state.next_id;
        let id = call.id;
        if let Err(failure) = self.admit(&state, call.nested) {
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
        state.usable()?;
        let free = || self.options.instances.saturating_sub(state.busy());
        if nested && state.calls.len() >= free() {
            let message = "a host function called its own plugin, which has no free instance";
            return Err(Failure::new(Code::Reentrant, message));
        }
        let limit = self.options.max_queue;
        if state.calls.len() >= limit && state.calls.len() - limit >= free() {
            let message = format!("{limit} calls are waiting, and no more may (maxQueue)");
            return Err(Failure::new(Code::QueueFull, message));
        }
        Ok(())
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

    /// The variables of one of its instances, by its number.
    pub fn variables(&self, instance: u32) -> Option<Arc<Variables>> {
        self.state().variables(instance).cloned()
    }

    pub fn load(&self) -> Load {
        let state = self.state();
        Load {
            queued: state.calls.len(),
            active: state.busy(),
            instances: state.slots.len(),
        }
    }

    /// Admits nothing further and lets idle instances go. `ticket` is settled when nothing runs
    /// any longer.
    pub fn close(&self, ticket: Option<Box<dyn Settle>>) {
        let mut state = self.state();
        state.closed = true;
        state.closers.extend(ticket);
        let closers = state.drained();
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        self.arrived.notify_all();
        self.freed.notify_all();
        if !idle.is_empty() {
            // Unmapping memory takes its time. If no thread is to be had, it happens here.
            let _ = threads::spawn_blocking(move || {
                faults::point("drop");
                drop(idle);
            });
        }
        settle_all(closers);
    }

    /// Fails what waits, and stops what runs.
    pub fn abort(&self) {
        let mut state = self.state();
        let calls = self.with_calls(&mut state, std::mem::take);
        let slots = state.slots.clone();
        drop(state);
        for call in calls.into_values() {
            call.settle(Err(closed()));
        }
        for slot in slots {
            slot.stop(None, closed());
        }
    }
}

fn cancelled() -> Failure {
    Failure::new(Code::Cancelled, "the call was cancelled")
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
