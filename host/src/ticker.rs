//! The thread that increments the epochs of all engines while guests run, and rests otherwise.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};
use std::thread::{self, Builder, Thread};
use std::time::{Duration, Instant};

use crate::engine;
use crate::error::Failure;
use crate::sync::lock;
use crate::threads::no_thread;

#[cfg(test)]
mod tests;

const TICK: Duration = Duration::from_micros(500);

/// How long the ticker goes on after the last guest. Waking it costs more than a short call.
const LINGER: Duration = Duration::from_millis(50);

const STACK_BYTES: usize = 256 << 10;

/// Added to `activity` when a guest begins to run.
const ONE_MORE: u64 = (1 << 32) + 1;

static TICKER: Ticker = Ticker::new();

/// Makes sure that epochs are incremented while the result lives. Fails if the system has no
/// thread for the ticker, which the first guest needs.
pub fn running() -> Result<Running, Failure> {
    TICKER.running()
}

/// A guest that runs.
#[must_use]
#[derive(Debug)]
pub struct Running(&'static Ticker);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.activity.fetch_sub(1, SeqCst);
    }
}

#[derive(Debug)]
struct Ticker {
    /// Guests that run now, in the lower half, and guests that ever began to run, in the upper
    /// half, which wraps around. One addition changes both.
    activity: AtomicU64,
    /// Whether the thread rests, or is about to, and has to be woken.
    ///
    /// No wake-up is lost. A guest that begins writes `activity` and then reads `parked`; the
    /// thread writes `parked` and then reads `activity`. All four are sequentially consistent, so
    /// they have one order, in which either the thread sees the guest and does not park, or the
    /// guest sees that the thread parks, and unparks it. An `unpark` that comes before `park` makes
    /// that return at once.
    parked: AtomicBool,
    thread: OnceLock<Thread>,
    starting: Mutex<()>,
    #[cfg(test)]
    ticks: AtomicU64,
}

impl Ticker {
    const fn new() -> Self {
        Self {
            activity: AtomicU64::new(0),
            parked: AtomicBool::new(false),
            thread: OnceLock::new(),
            starting: Mutex::new(()),
            #[cfg(test)]
            ticks: AtomicU64::new(0),
        }
    }

    fn running(&'static self) -> Result<Running, Failure> {
        let thread = self.thread()?;
        self.activity.fetch_add(ONE_MORE, SeqCst);
        let running = Running(self);
        if self.parked.load(SeqCst) && self.parked.swap(false, SeqCst) {
            thread.unpark();
        }
        Ok(running)
    }

    fn thread(&'static self) -> Result<&'static Thread, Failure> {
        if let Some(thread) = self.thread.get() {
            return Ok(thread);
        }
        let _alone = lock(&self.starting);
        if let Some(thread) = self.thread.get() {
            return Ok(thread);
        }
        let builder = Builder::new()
            .name("extism-ticker".to_owned())
            .stack_size(STACK_BYTES);
        let started = builder.spawn(|| self.run()).map_err(|_| no_thread())?;
        Ok(self.thread.get_or_init(|| started.thread().clone()))
    }

    fn run(&self) {
        let mut seen = self.activity.load(SeqCst);
        let mut active = Instant::now();
        loop {
            thread::sleep(TICK);
            engine::increment_epochs();
            #[cfg(test)]
            self.ticks.fetch_add(1, SeqCst);
            let activity = self.activity.load(SeqCst);
            // A guest that ran between two ticks shows in the number of those that ever began.
            if activity as u32 > 0 || activity != seen {
                seen = activity;
                active = Instant::now();
            } else if active.elapsed() >= LINGER {
                self.park(seen);
                active = Instant::now();
            }
        }
    }

    /// Rests until a guest begins.
    fn park(&self, seen: u64) {
        self.parked.store(true, SeqCst);
        if self.activity.load(SeqCst) != seen {
            self.parked.store(false, SeqCst);
            return;
        }
        // `thread::park` may return for no reason.
        while self.parked.load(SeqCst) {
            thread::park();
        }
    }
}
