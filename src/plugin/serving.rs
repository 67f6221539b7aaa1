//! How the instances of a plugin get their threads, and their calls from its queue.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::queue::{Queue, settle_all};
use crate::call::Call;
use crate::error::{Code, Failure};
use crate::faults;
use crate::instance::{Begun, Ended, Instance, Slot, Source};
use crate::sync::{SPIN, spin, wait_for};
use crate::threads::{self, contain};

/// How long an instance keeps its thread for the next call. Waking a waiting thread takes a
/// fraction of what it takes to hand over an instance and to enter the runtime again.
const LINGER: Duration = Duration::from_millis(50);

impl Queue {
    pub(super) fn spawn(self: &Arc<Self>, instance: Option<Instance>) -> Result<(), Failure> {
        let queue = self.clone();
        threads::spawn_blocking(move || {
            let ran = contain(|| {
                queue.run(instance);
                Ok(())
            });
            if let Err(failure) = ran {
                queue.give_up(&failure);
            }
        })
    }

    /// Runs one instance on this thread until it has nothing to do.
    fn run(self: &Arc<Self>, mut instance: Option<Instance>) {
        let mut failed = false;
        loop {
            let serving = match &mut instance {
                Some(serving) => serving,
                None => match self.instance() {
                    Ok(built) => instance.insert(built),
                    Err(failure) => return self.give_up(&failure),
                },
            };
            faults::point("serve");
            let ended = serving.serve();
            failed &= matches!(ended, Ended::Failed(_));
            if serving.slot().is_abandoned() {
                return;
            }
            let usable = match ended {
                Ended::Idle => Ok(()),
                Ended::Broken => self.renew(serving),
                // What happens to a fresh guest, too, will not be better the next time.
                Ended::Failed(failure) if failed => Err(failure),
                Ended::Failed(_) => {
                    failed = true;
                    self.renew(serving)
                }
            };
            if let Err(failure) = usable
                && let Some(instance) = instance
            {
                return self.discard(instance, &failure);
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

    pub(super) fn renew(&self, instance: &mut Instance) -> Result<(), Failure> {
        self.stats.replaced();
        instance.renew()
    }

    fn discard(&self, instance: Instance, failure: &Failure) {
        drop(instance);
        self.give_up(failure);
    }

    /// An instance is gone, or was not to be had. Calls that nobody is left for fail with the reason:
    /// all that wait if it was the last one, and if those that are left all run calls, the ones
    /// that these may be waiting for.
    pub(super) fn give_up(&self, failure: &Failure) {
        let mut state = self.state();
        let gone = state.forget_gone();
        let closers = state.deactivate();
        let (none, stuck) = (state.active == 0, state.busy() >= state.active);
        let failed: Vec<_> = self.with_calls(&mut state, |calls| {
            let lost = |_: &u64, call: &mut Call| none || (stuck && call.nested);
            calls.extract_if(.., lost).map(|(_, call)| call).collect()
        });
        drop(state);
        drop(gone);
        self.freed.notify_all();
        for call in failed {
            call.settle(Err(failure.clone()));
        }
        settle_all(closers);
    }

    /// An instance does not end, and nobody waits for it any longer. Another one serves on, and
    /// its call is settled.
    fn abandon(self: &Arc<Self>, slot: &Slot, settle: impl FnOnce()) {
        self.stats.replaced();
        let mut state = self.state();
        state.abandon(slot);
        let (closers, next) = match state.calls.is_empty() {
            true => (state.deactivate(), None),
            false => (Vec::new(), Some(state.room())),
        };
        drop(state);
        let next = next.map(|room| room.and_then(|()| self.spawn(None)));
        if let Some(Err(failure)) = next {
            self.give_up(&failure);
        }
        self.freed.notify_all();
        settle();
        settle_all(closers);
    }

    /// Takes an instance to run one call on this thread: one that is idle, is being built, or
    /// lets go of its own thread, and else a new one. Fails at once where all run calls.
    pub fn borrow(self: &Arc<Self>) -> Result<Instance, Failure> {
        let mut state = self.state();
        loop {
            let taken = state.busy() + state.calls.len();
            state.usable()?;
            if taken >= self.options.instances {
                let message = "the plugin is running another call";
                return Err(Failure::new(Code::Busy, message));
            } else if let Some(instance) = state.idle.pop() {
                state.active += 1;
                return Ok(instance);
            } else if taken >= state.active {
                state.active += 1;
                break;
            }
            state.borrowers += 1;
            self.arrived.notify_all();
            state = wait_for(&self.freed, state, LINGER);
            state.borrowers -= 1;
        }
        drop(state);
        self.instance().inspect_err(|failure| self.give_up(failure))
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
}

/// The queue, as an instance sees it.
pub(super) struct Feed {
    /// Weak, since the queue has the instances that have this.
    queue: Weak<Queue>,
    /// Whether the last call came soon enough that looking for the next one is worth it.
    hurried: AtomicBool,
}

impl Feed {
    pub(super) fn of(queue: &Arc<Queue>) -> Arc<dyn Source> {
        Arc::new(Self {
            queue: Arc::downgrade(queue),
            hurried: AtomicBool::new(false),
        })
    }
}

impl Source for Feed {
    /// A call leaves the queue and enters the slot in one step: whoever looks for it finds it.
    fn begin_next(&self, slot: &Slot) -> Begun {
        let Some(queue) = self.queue.upgrade() else {
            return Begun::Nothing;
        };
        let start = Instant::now();
        let mut state = queue.state();
        loop {
            if let Some((id, call)) = queue.with_calls(&mut state, BTreeMap::pop_first) {
                let queued = call.queued;
                // Fuel is filled up when the runtime is entered.
                if let Err(call) = slot.begin(call, queue.recipe.fuel.is_some()) {
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

    fn abandon(&self, slot: &Slot, call: Call, ran: Duration, failure: Failure) {
        if let Some(queue) = self.queue.upgrade() {
            queue.abandon(slot, || queue.recipe.settle(self, call, ran, Err(failure)));
        }
    }

    fn ran(&self, duration: Duration) {
        if let Some(queue) = self.queue.upgrade() {
            queue.stats.running.record(duration);
        }
    }
}
