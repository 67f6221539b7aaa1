//! Which call runs next, on which instance, and where.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::serving::Serving;
use super::state::{Running, State};
use super::{Pool, settle_all};
use crate::call::{Call, CallState, Outcome};
use crate::error::Failure;
use crate::executor::{self, Event, Place, Runnable, workers};
use crate::instance::Instance;
use crate::watchdog;

/// An instance with more memory than this runs on a worker: one instruction can fill it all.
const LARGE_BYTES: u64 = 64 << 20;
/// What the thread that called computes by itself before workers help.
const BACKLOG: Duration = Duration::from_millis(1);

/// Where a call is started from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum From {
    Home,
    Worker,
}

impl Pool {
    /// Tells the thread of the plugin that calls wait, unless it knows.
    pub(super) fn announce(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if !state.calls.is_empty() && !std::mem::replace(&mut state.announced, true) {
            drop(state);
            self.queue.push(Event::Ready(self.clone()));
        }
    }

    /// For the thread of the plugin, which was told that calls wait: polls the next one, and puts
    /// itself in the queue again.
    pub fn run_next(self: &Arc<Self>) {
        if self.wants_help()
            && let Some(runnable) = self.start(From::Worker)
        {
            runnable.schedule();
        }
        let Some(runnable) = self.start(From::Home) else {
            return;
        };
        self.queue.push(Event::Ready(self.clone()));
        match runnable.metadata().is_on_worker() {
            true => runnable.schedule(),
            false => drop(runnable.run()),
        }
    }

    /// Fails all calls that wait.
    pub fn fail_waiting(&self, failure: &Failure) {
        let calls = {
            let mut state = self.state();
            state.announced = false;
            std::mem::take(&mut state.calls)
        };
        for (id, call) in calls {
            self.settle(&call.queue, id, call.function, Err(failure.clone()));
        }
        let closers = self.state().drained();
        settle_all(closers);
    }

    /// Whether workers are to take calls that would not be long each.
    fn wants_help(&self) -> bool {
        let state = self.state();
        let spare = state.idle.len() + self.options.instances.saturating_sub(state.live);
        spare > 1 && self.is_backlogged(&state) && state.on_workers() < workers::count()
    }

    fn is_backlogged(&self, state: &State) -> bool {
        let Some((_, call)) = state.calls.first_key_value() else {
            return false;
        };
        let calls = u32::try_from(state.calls.len()).unwrap_or(u32::MAX);
        self.times.expected(call.function).saturating_mul(calls) > BACKLOG
    }

    /// A task for the first call that waits, if there is an instance for it. Where there is none,
    /// the thread of the plugin is told when there is.
    fn start(self: &Arc<Self>, from: From) -> Option<Runnable> {
        let mut state = self.state();
        let ready = self.code.is_ready();
        let place = match state.calls.first_key_value() {
            Some(_) if ready => state.idle.pop().map(Some).or_else(|| {
                let room = state.live < self.options.instances;
                room.then(|| state.live += 1).map(|()| None)
            }),
            _ => None,
        };
        let Some(instance) = place else {
            state.announced = from == From::Worker && state.announced;
            return None;
        };
        let (_, call) = state.calls.pop_first()?;
        let on_worker = from == From::Worker || self.belongs_on_worker(&call, instance.as_ref());
        let place = Place::new(call.queue.clone(), on_worker, false);
        Some(self.serve(state, call, instance, place))
    }

    fn belongs_on_worker(&self, call: &Call, instance: Option<&Instance>) -> bool {
        let by_instance = match instance {
            Some(instance) => instance.memory_bytes() > LARGE_BYTES,
            None => !self.times.builds_fast(),
        };
        self.options.off_thread || by_instance || self.times.is_long(call.function)
    }

    /// A task for a call that the thread waits for. Fails at once where every instance has one.
    pub fn start_sync(self: &Arc<Self>, call: Call) -> Result<Runnable, Failure> {
        self.code.wait();
        let mut state = self.state();
        self.admit_sync(&state)?;
        let instance = state.idle.pop();
        state.live += usize::from(instance.is_none());
        let place = Place::new(call.queue.clone(), false, true);
        Ok(self.serve(state, call, instance, place))
    }

    fn serve(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        call: Call,
        instance: Option<Instance>,
        place: Arc<Place>,
    ) -> Runnable {
        let identity = match &instance {
            Some(instance) => Some(instance.identity().clone()),
            None => match self.options.fresh {
                true => None,
                false => state.inheritance.pop(),
            },
        };
        let identity = match (identity, &instance) {
            (Some(identity), Some(_)) => identity,
            (inherited, _) => self.code.identity(inherited),
        };
        let running = CallState::new(&call, place.clone());
        let entry = Running {
            call: running.clone(),
            identity: identity.clone(),
        };
        state.running.insert(call.id, entry);
        drop(state);
        self.stats.waiting.record(running.started - call.queued);
        if let Some(deadline) = running.deadline {
            watchdog::expect(deadline);
        }
        executor::spawn(
            place,
            Serving::new(self.clone(), call, running, instance, identity),
        )
    }

    /// A call is over. Its instance serves on, or is replaced when the next one is needed.
    pub(super) fn finished(
        self: &Arc<Self>,
        call: &Arc<CallState>,
        function: Option<usize>,
        instance: Option<Instance>,
        outcome: Outcome,
    ) {
        self.stats.running.record(call.started.elapsed());
        let mut state = self.state();
        let running = state.running.remove(&call.id);
        let keep = instance.as_ref().is_some_and(Instance::is_usable)
            && !self.options.fresh
            && !state.closed;
        let gone = match keep {
            true => {
                state.idle.extend(instance);
                None
            }
            false => {
                state.live -= 1;
                if !self.options.fresh && !state.closed {
                    self.stats.replaced();
                    state
                        .inheritance
                        .extend(running.map(|running| running.identity));
                }
                instance
            }
        };
        let more = !state.calls.is_empty();
        // Other instances run at home meanwhile; an only one is to go home again.
        let helps = state.live > 1 && self.is_backlogged(&state);
        let on_worker = more
            && call.place.is_on_worker()
            && (self.options.off_thread
                || helps
                || self
                    .times
                    .is_long(state.calls.values().next().and_then(|call| call.function)));
        let closers = state.drained();
        // Before another call can have the instance and end: the thread is told in this order.
        let wake = self.put_settled(&call.place.queue, call.id, function, outcome);
        if !on_worker {
            self.announce(state);
        } else {
            drop(state);
        }
        if wake {
            call.place.queue.wake();
        }
        settle_all(closers);
        if let Some(gone) = gone {
            executor::discard(gone);
        }
        if on_worker && let Some(next) = self.start(From::Worker) {
            next.schedule();
        }
    }
}
