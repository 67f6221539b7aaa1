//! A guest's thread waits here while JavaScript runs a host function, and does for it what
//! only that thread may do: touch the guest's memory.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

use extism::Val;

use crate::bytes;
use crate::error::{Code, Failure};
use crate::faults;
use crate::host_function::Guest;
use crate::sync::{lock, spin, wait};
use crate::threads::contain;

/// What the host asks of the waiting guest.
pub enum Request {
    Alloc(u64),
    Store(Vec<u8>),
    Free(u64),
    Length(u64),
    Read(u64),
    /// Set the guest's error.
    Fail(String),
}

pub enum Reply {
    Number(u64),
    Bytes(Option<Vec<u8>>),
}

/// How the host function ended.
pub enum Return {
    /// Its results, after these blocks have been overwritten.
    Values(Vec<Val>, Vec<(u64, Vec<u8>)>),
    Failed(Failure),
}

#[derive(Default)]
pub struct Exchange {
    state: Mutex<State>,
    /// Counts the changes of `state`, for those who look without the lock.
    changes: AtomicU32,
    /// How many sleep until it changes. Waking nobody is a system call, too.
    asleep: AtomicU32,
    guest: Condvar,
    host: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    Waiting,
    Asked(Request),
    /// The guest's thread is at it.
    Answering,
    Answered(Result<Reply, Failure>),
    Returned(Return),
    Over(Option<Failure>),
}

impl Exchange {
    /// For the guest's thread: serves the host until the host function has returned.
    pub fn attend(&self, guest: &mut Guest<'_>, outputs: &mut [Val]) -> Result<(), Failure> {
        let mut state = lock(&self.state);
        loop {
            match std::mem::replace(&mut *state, State::Over(None)) {
                State::Asked(request) => {
                    *state = State::Answering;
                    drop(state);
                    // The host waits for this answer, so there has to be one.
                    let reply = contain(|| answer(guest, request));
                    state = lock(&self.state);
                    if matches!(*state, State::Answering) {
                        *state = State::Answered(reply);
                        self.changed(&self.host);
                    }
                }
                State::Returned(returned) => {
                    drop(state);
                    return apply(guest, returned, outputs);
                }
                State::Over(failure) => return Err(failure.unwrap_or_else(stale)),
                waiting => {
                    *state = waiting;
                    state = self.sleep(state, &self.guest);
                }
            }
        }
    }

    /// For the host: has the waiting guest's thread do something, and waits for it. That
    /// thread is idle, so the wait is as long as it takes to wake it.
    pub fn ask(&self, request: Request) -> Result<Reply, Failure> {
        let mut state = lock(&self.state);
        if !matches!(*state, State::Waiting) {
            return Err(stale());
        }
        *state = State::Asked(request);
        self.changed(&self.guest);
        loop {
            match std::mem::take(&mut *state) {
                State::Answered(reply) => return reply,
                waits @ (State::Asked(_) | State::Answering) => {
                    *state = waits;
                    state = self.sleep(state, &self.host);
                }
                other => {
                    *state = other;
                    return Err(stale());
                }
            }
        }
    }

    /// For the host: lets the guest go on. `false` when it does not wait any longer.
    pub fn finish(&self, returned: Return) -> bool {
        let mut state = lock(&self.state);
        let waits = matches!(*state, State::Waiting);
        if waits {
            *state = State::Returned(returned);
            self.changed(&self.guest);
        }
        waits
    }

    /// Ends the wait from elsewhere: the guest's call is being stopped.
    pub fn interrupt(&self, failure: Failure) {
        let mut state = lock(&self.state);
        let mut failure = failure;
        if let State::Returned(Return::Failed(thrown)) = &*state {
            failure.cause = failure.cause.or(thrown.cause);
        }
        *state = State::Over(Some(failure));
        self.changed(&self.guest);
        self.changed(&self.host);
    }

    /// To be called with the state locked, as whoever goes to sleep has it.
    fn changed(&self, other: &Condvar) {
        self.changes.fetch_add(1, Ordering::Release);
        if self.asleep.load(Ordering::Relaxed) > 0 {
            other.notify_one();
        }
    }

    /// Waits for the other side to change the state.
    fn sleep<'a>(&'a self, state: MutexGuard<'a, State>, side: &Condvar) -> MutexGuard<'a, State> {
        let before = self.changes.load(Ordering::Acquire);
        drop(state);
        let unchanged = || self.changes.load(Ordering::Acquire) == before;
        spin(Instant::now(), || !unchanged());
        let state = lock(&self.state);
        if !unchanged() {
            return state;
        }
        self.asleep.fetch_add(1, Ordering::Relaxed);
        let state = wait(side, state);
        self.asleep.fetch_sub(1, Ordering::Relaxed);
        state
    }
}

/// Its host function has returned.
pub fn stale() -> Failure {
    Failure::new(
        Code::Stale,
        "the host function this belongs to has returned",
    )
}

/// Does what the host asks of a waiting guest.
pub fn answer(guest: &mut Guest<'_>, request: Request) -> Result<Reply, Failure> {
    faults::point("answer");
    Ok(match request {
        Request::Alloc(length) => Reply::Number(guest.alloc(length)?),
        Request::Store(bytes) => Reply::Number(guest.store(&bytes)?),
        Request::Free(offset) => {
            guest.free(offset);
            Reply::Number(0)
        }
        Request::Length(offset) => Reply::Number(guest.length(offset).unwrap_or(0)),
        Request::Fail(text) => {
            guest.slot.set_error(Some(text));
            Reply::Number(0)
        }
        Request::Read(offset) => Reply::Bytes(guest.read(offset).map(bytes::copy).transpose()?),
    })
}

/// Does what a host function has left to be done when it returned.
pub fn apply(guest: &mut Guest<'_>, returned: Return, outputs: &mut [Val]) -> Result<(), Failure> {
    match returned {
        Return::Failed(failure) => Err(failure),
        Return::Values(values, writes) => {
            for (offset, bytes) in writes {
                // Some may have been freed meanwhile.
                guest.write(offset, &bytes)?;
            }
            for (output, value) in outputs.iter_mut().zip(values) {
                *output = value;
            }
            Ok(())
        }
    }
}
