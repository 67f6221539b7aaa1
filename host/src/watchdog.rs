//! Ends calls that take too long. One task looks at all that is watched when the earliest known
//! deadline is due; a call that ends in time costs it nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::error::Failure;
use crate::faults;
use crate::sync::lock;
use crate::threads;

/// What has deadlines.
pub trait Watched: Send + Sync {
    /// Ends what is overdue; when the next thing will be.
    fn expire(&self, now: Instant) -> Option<Instant>;
}

struct Watchdog {
    watched: Mutex<Vec<Weak<dyn Watched>>>,
    started: OnceLock<Result<(), Failure>>,
    /// When the task looks next, in nanoseconds after `epoch`.
    next: AtomicU64,
    epoch: Instant,
    sooner: Notify,
}

/// When to look again at something that could not be looked at.
const AGAIN: Duration = Duration::from_millis(10);
/// How long the task sleeps when nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

static WATCHDOG: LazyLock<Watchdog> = LazyLock::new(|| Watchdog {
    watched: Mutex::default(),
    started: OnceLock::new(),
    next: AtomicU64::new(u64::MAX),
    epoch: Instant::now(),
    sooner: Notify::new(),
});

/// Looks after something for as long as it lives.
pub fn watch(watched: &Arc<dyn Watched>) -> Result<(), Failure> {
    {
        let mut known = lock(&WATCHDOG.watched);
        // Nobody else looks for as long as nothing is due.
        if known.len() == known.capacity() {
            known.retain(|watched| watched.strong_count() > 0);
        }
        known.push(Arc::downgrade(watched));
    }
    WATCHDOG
        .started
        .get_or_init(|| threads::spawn(run()))
        .clone()
}

/// Makes sure that somebody looks at this time.
pub fn expect(deadline: Instant) {
    let due = nanos(deadline);
    if due < WATCHDOG.next.load(Ordering::SeqCst) {
        WATCHDOG.next.fetch_min(due, Ordering::SeqCst);
        WATCHDOG.sooner.notify_one();
    }
}

fn nanos(instant: Instant) -> u64 {
    let nanos = instant.saturating_duration_since(WATCHDOG.epoch).as_nanos();
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

async fn run() {
    loop {
        // Whoever sets a deadline from here on sees that it has to ring, or is seen below.
        WATCHDOG.next.store(u64::MAX, Ordering::SeqCst);
        let next = look();
        WATCHDOG.next.fetch_min(nanos(next), Ordering::SeqCst);
        // Either way it is time to look.
        let _ = tokio::time::timeout_at(next.into(), WATCHDOG.sooner.notified()).await;
    }
}

/// Ends what is overdue; when to look again.
fn look() -> Instant {
    let now = Instant::now();
    let mut next = now + IDLE;
    let watched = {
        let mut watched = lock(&WATCHDOG.watched);
        watched.retain(|watched| watched.strong_count() > 0);
        watched.clone()
    };
    for watched in watched.iter().filter_map(Weak::upgrade) {
        let expired = catch_unwind(AssertUnwindSafe(|| {
            faults::point("watchdog");
            watched.expire(now)
        }));
        if let Some(deadline) = expired.unwrap_or(Some(now + AGAIN)) {
            next = next.min(deadline);
        }
    }
    next
}
