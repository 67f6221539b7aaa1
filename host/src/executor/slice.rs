//! How long a task may be polled before others have their turn.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long a guest runs on the thread that called, or before it lets the other guests of a worker
/// run.
pub const SLICE: Duration = Duration::from_micros(700);

thread_local! {
    /// When the poll began that this thread is in.
    static POLLED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A task of this thread is being polled from now on.
pub fn begin(now: Instant) {
    POLLED.set(Some(now));
}

/// Whether the task that is being polled has used up its slice.
pub fn is_over(now: Instant) -> bool {
    POLLED
        .get()
        .is_some_and(|begun| now.duration_since(begun) >= SLICE)
}
