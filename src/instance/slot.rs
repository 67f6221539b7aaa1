//! Where an instance and the rest of the world meet: the call that is running, and whether
//! it is to be stopped.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use extism::CancelHandle;

use super::Source;
use super::quota::Quota;
use super::state::State;
use crate::call::Call;
use crate::error::{Code, Failure};
use crate::exchange::Exchange;
use crate::store::Value;
use crate::sync::{lock, wait_for};
use crate::variables::Variables;
use crate::watchdog::{self, Watched};

/// What an instance hands on to the one that takes its place.
#[derive(Clone)]
pub struct Identity {
    /// Distinguishes the instances that there are in the process.
    pub id: u32,
    /// What guests keep, also those that come after one that broke off.
    pub variables: Arc<Variables>,
}

impl Identity {
    pub fn new(variables: Arc<Variables>) -> Self {
        static IDS: AtomicU32 = AtomicU32::new(0);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        Self { id, variables }
    }
}

pub struct Slot {
    identity: Identity,
    quota: Quota,
    source: Arc<dyn Source>,
    state: Mutex<State>,
    /// Wakes a guest that sleeps: its call is being stopped.
    stopped: Condvar,
}

/// What was running when a guest returned or broke off.
pub struct End {
    /// The call that was running, and for how long.
    pub call: Option<(Call, Duration)>,
    /// What it was stopped with, or else what a host function noted.
    pub reason: Option<Failure>,
    /// Whether the runtime was told to stop it.
    pub told: bool,
    /// Whether start code was running.
    pub starting: bool,
    /// Whether any call was begun since the last end.
    pub begun: bool,
}

impl Slot {
    pub fn new(identity: Identity, quota: Quota, source: Arc<dyn Source>) -> Self {
        Self {
            identity,
            quota,
            source,
            state: Mutex::default(),
            stopped: Condvar::new(),
        }
    }

    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn variables(&self) -> &Arc<Variables> {
        &self.identity.variables
    }

    pub fn id(&self) -> u32 {
        self.identity.id
    }

    /// Forgets the instance before, and takes a new one's cancel handle.
    pub fn renew(&self, cancel: CancelHandle) {
        *lock(&self.state) = State {
            cancel: Some(cancel),
            ..State::default()
        };
    }

    /// Keeps a call until the guest asks for it, on a thread that waits for nothing else.
    pub fn hold(&self, call: Call) {
        let mut state = lock(&self.state);
        state.held = Some(call);
        state.borrowed = true;
    }

    pub fn take_held(&self) -> Option<Call> {
        lock(&self.state).held.take()
    }

    /// Takes the next call, or a call that is to run alone. `Err` gives it back: the instance
    /// is being stopped.
    pub fn begin(&self, call: Call, alone: bool) -> Result<(), Call> {
        let now = Instant::now();
        let deadline = call.timeout.and_then(|timeout| now.checked_add(timeout));
        let mut state = lock(&self.state);
        if state.stop.is_some() {
            return Err(call);
        }
        self.quota.begin();
        state.started = Some(now);
        state.alone = alone;
        state.deadline = deadline;
        state.running = Some(call);
        state.begun = true;
        drop(state);
        if let Some(deadline) = deadline {
            watchdog::expect(deadline);
        }
        Ok(())
    }

    /// Whether the instance is to take another call.
    pub fn is_free(&self) -> bool {
        let state = lock(&self.state);
        state.running.is_none() && !state.alone
    }

    /// The driver's entry to run now, of which the first `initializers` run once, and the
    /// length of its input.
    pub fn entry(&self, initializers: usize) -> Option<(usize, usize)> {
        let state = lock(&self.state);
        let call = state.running.as_ref()?;
        Some(if state.initialized < initializers {
            (state.initialized, 0)
        } else {
            (initializers + call.function, call.input.len())
        })
    }

    /// Whether start code is still running; if so, that one is over.
    pub fn initialized(&self, initializers: usize) -> bool {
        let mut state = lock(&self.state);
        let running = state.initialized < initializers;
        state.initialized += usize::from(running);
        running
    }

    /// The input of the running call, which is not needed again.
    pub fn take_input(&self) -> Vec<u8> {
        let mut state = lock(&self.state);
        state
            .running
            .as_mut()
            .map(|call| std::mem::take(&mut call.input))
            .unwrap_or_default()
    }

    /// Ends what runs, after the guest has returned or broken off.
    pub fn end(&self, initializers: usize) -> End {
        let mut state = lock(&self.state);
        state.exchange = None;
        state.alone = false;
        state.borrowed = false;
        let noted = state.noted.take();
        let reason = match state.stop.clone() {
            // What a host function threw is kept for whoever reports it.
            Some(mut stop) => {
                stop.cause = stop.cause.or_else(|| noted.and_then(|noted| noted.cause));
                Some(stop)
            }
            None => noted,
        };
        let held = state.held.take().map(|call| (call, Duration::ZERO));
        End {
            call: state.take().or(held),
            reason,
            told: state.told,
            starting: state.initialized < initializers,
            begun: std::mem::take(&mut state.begun),
        }
    }

    /// Ends the running call, which has run for this long, if nobody stops it.
    pub fn finish(&self) -> Option<(Call, Duration)> {
        let mut state = lock(&self.state);
        if state.stop.is_some() {
            return None;
        }
        state.take()
    }

    /// Sleeps, unless the call is being stopped.
    pub fn sleep(&self, time: Duration) -> Result<(), Failure> {
        let start = Instant::now();
        let mut state = lock(&self.state);
        loop {
            if let Some(failure) = &state.stop {
                return Err(failure.clone());
            }
            let left = time.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            state.asleep = true;
            state = wait_for(&self.stopped, state, left);
            state.asleep = false;
        }
    }

    pub fn hand_over(&self, value: Value) {
        lock(&self.state).handed_over = Some(value);
    }

    pub fn take_over(&self) -> Option<Value> {
        lock(&self.state).handed_over.take()
    }

    pub fn set_error(&self, text: Option<String>) {
        lock(&self.state).error = text;
    }

    pub fn take_error(&self) -> Option<String> {
        lock(&self.state).error.take()
    }

    pub fn note(&self, failure: Failure) {
        lock(&self.state).noted.get_or_insert(failure);
    }

    /// Waits for JavaScript through `exchange`, unless the call is being stopped.
    pub fn attend(&self, exchange: Option<&Arc<Exchange>>) -> Result<(), Failure> {
        let mut state = lock(&self.state);
        match &state.stop {
            Some(failure) => Err(failure.clone()),
            None => {
                state.exchange = exchange.cloned();
                Ok(())
            }
        }
    }

    pub fn running(&self) -> Option<u64> {
        lock(&self.state).running.as_ref().map(|call| call.id)
    }

    /// Stops the running call, if it is the one named, or any. Whether there was one to stop.
    pub fn stop(&self, call: Option<u64>, failure: Failure) -> bool {
        let mut state = lock(&self.state);
        match &state.running {
            Some(running) if call.is_none_or(|id| id == running.id) => {}
            _ => return false,
        }
        self.stopped.notify_all();
        let stopped = state.stop(failure);
        let deadline = state.deadline;
        drop(state);
        if let Some(deadline) = deadline {
            watchdog::expect(deadline);
        }
        stopped
    }

    /// Whether nobody waits for the guest any longer: somebody else has taken its place.
    pub fn is_abandoned(&self) -> bool {
        lock(&self.state).abandoned
    }
}

impl Watched for Slot {
    /// Stops the running call if its time is up, and leaves it alone if that has not ended it;
    /// else says when it will be.
    fn expire(&self, now: Instant) -> Option<Instant> {
        let mut state = lock(&self.state);
        let deadline = state.deadline?;
        if deadline > now {
            return Some(deadline);
        }
        if let Some(failure) = state.stop.clone() {
            let (call, ran) = state.take()?;
            state.abandoned = true;
            drop(state);
            self.source.abandon(self, call, ran, failure);
            return None;
        }
        let timeout = state.running.as_ref().and_then(|call| call.timeout);
        let timeout = timeout.unwrap_or_default().as_millis();
        let message = format!("the call took longer than its timeout of {timeout} ms");
        self.stopped.notify_all();
        state.stop(Failure::new(Code::Timeout, message));
        state.deadline
    }
}
