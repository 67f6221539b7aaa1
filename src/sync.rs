//! Locks that outlive a panic: every value behind one of ours is valid at each step, so a
//! poisoned lock says nothing about it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long to look for something that is about to happen before going to sleep over it.
/// Waking a sleeper costs whoever wakes it, here often the event loop, several times this
/// package's share of a short call.
pub const SPIN: Duration = Duration::from_micros(50);

/// Looks until `done`, or until [`SPIN`] after `start`. Others who can run go first.
pub fn spin(start: Instant, done: impl Fn() -> bool) {
    while !done() && start.elapsed() < SPIN {
        std::thread::yield_now();
    }
}

pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

pub fn wait_for<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Duration,
) -> MutexGuard<'a, T> {
    condvar
        .wait_timeout(guard, time)
        .unwrap_or_else(PoisonError::into_inner)
        .0
}
