//! One call: input in, output or failure out, settled exactly once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::error::{Code, Failure};
use crate::executor::{Place, Queue};
use crate::sync::lock;

/// What a call ends with: the output, or `None` where the guest has set none.
pub type Outcome = Result<Option<Vec<u8>>, Failure>;

/// A call that waits in a pool.
pub struct Call {
    /// Distinguishes the operations of a process, and orders them.
    pub id: u64,
    /// The position in [`LinkedModule::entry_points`](crate::module::LinkedModule::entry_points);
    /// `None` only runs start code.
    pub function: Option<usize>,
    pub input: Vec<u8>,
    /// How long it may run, once it runs.
    pub timeout: Option<Duration>,
    /// Whether it comes from a host function that its own plugin waits for.
    pub nested: bool,
    /// Where it is settled and its host functions are answered.
    pub queue: Arc<Queue>,
    /// When it was put in the pool.
    pub queued: Instant,
}

/// For a call that nobody settled.
pub fn lost() -> Failure {
    Failure::new(Code::Internal, "the call was lost")
}

/// A call that runs: what others need to stop it.
pub struct CallState {
    pub id: u64,
    pub place: Arc<Place>,
    pub started: Instant,
    pub timeout: Option<Duration>,
    pub deadline: Option<Instant>,
    /// How long making its instance took, in nanoseconds.
    building: AtomicU64,
    stopped: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Why the call is being stopped.
    failure: Option<Failure>,
    waker: Option<Waker>,
}

impl CallState {
    pub fn new(call: &Call, place: Arc<Place>) -> Arc<Self> {
        Self::at(call.id, place, call.timeout)
    }

    /// Of an instance that runs no call yet.
    pub fn idle(place: Arc<Place>) -> Arc<Self> {
        Self::at(0, place, None)
    }

    fn at(id: u64, place: Arc<Place>, timeout: Option<Duration>) -> Arc<Self> {
        let started = Instant::now();
        Arc::new(Self {
            id,
            place,
            started,
            timeout,
            deadline: timeout.and_then(|timeout| started.checked_add(timeout)),
            building: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            inner: Mutex::default(),
        })
    }

    /// Stops the call, wherever it is, for this reason. Whether it was not being stopped before.
    pub fn stop(&self, failure: Failure) -> bool {
        let waker = {
            let mut inner = lock(&self.inner);
            if inner.failure.is_some() {
                return false;
            }
            inner.failure = Some(failure);
            self.stopped.store(true, Ordering::Release);
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Why the call is being stopped, if it is.
    pub fn stop_reason(&self) -> Option<Failure> {
        match self.is_stopped() {
            true => lock(&self.inner).failure.clone(),
            false => None,
        }
    }

    /// How long making its instance took, if it had to be made.
    pub fn building(&self) -> Duration {
        Duration::from_nanos(self.building.load(Ordering::Relaxed))
    }

    pub fn set_building(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.building.store(nanos, Ordering::Relaxed);
    }

    /// Has this task woken when the call is stopped.
    pub fn register(&self, waker: &Waker) {
        let mut inner = lock(&self.inner);
        match &mut inner.waker {
            Some(known) if known.will_wake(waker) => {}
            known => *known = Some(waker.clone()),
        }
    }

    /// Stops the call if its time is up; else when it will be.
    pub fn expire(&self, now: Instant) -> Option<Instant> {
        let deadline = self.deadline?;
        if deadline > now {
            return Some(deadline);
        }
        let timeout = self.timeout.unwrap_or_default().as_millis();
        let message = format!("the call took longer than its timeout of {timeout} ms");
        self.stop(Failure::new(Code::Timeout, message));
        None
    }
}
