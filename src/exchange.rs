//! A guest's thread waits here while JavaScript runs a host function, and does for it what
//! only that thread may do: touch the guest's memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};

use extism::Val;

use crate::error::{Code, Failure};
use crate::host_function::Guest;
use crate::sync::{lock, wait};
use crate::threads::panic_message;

/// What the host asks of the waiting guest.
pub enum Request {
    Alloc(u64),
    Store(Vec<u8>),
    Free(u64),
    Length(u64),
    Read(u64),
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
    guest: Condvar,
    host: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    Waiting,
    Asked(Request),
    Answered(Result<Reply, Failure>),
    Returned(Return),
    Over(Option<Failure>),
}

impl Exchange {
    /// For the guest's thread: serves the host until the host function has returned.
    pub fn attend(
        self: &Arc<Self>,
        guest: &mut Guest<'_>,
        outputs: &mut [Val],
    ) -> Result<(), Failure> {
        let mut state = lock(&self.state);
        loop {
            match std::mem::replace(&mut *state, State::Over(None)) {
                State::Asked(request) => {
                    // The host waits for this answer, so there has to be one.
                    let reply = catch_unwind(AssertUnwindSafe(|| answer(guest, request)));
                    *state = State::Answered(reply.unwrap_or_else(|panic| {
                        Err(Failure::new(Code::Internal, panic_message(&*panic)))
                    }));
                    self.host.notify_one();
                }
                State::Returned(returned) => {
                    drop(state);
                    return apply(guest, returned, outputs);
                }
                State::Over(failure) => return Err(failure.unwrap_or_else(stale)),
                waiting => {
                    *state = waiting;
                    state = wait(&self.guest, state);
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
        self.guest.notify_one();
        loop {
            match std::mem::take(&mut *state) {
                State::Answered(reply) => return reply,
                asked @ State::Asked(_) => {
                    *state = asked;
                    state = wait(&self.host, state);
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
            self.guest.notify_one();
        }
        waits
    }

    /// Ends the wait from elsewhere: the guest's call is being stopped.
    pub fn interrupt(&self, failure: Failure) {
        let mut state = lock(&self.state);
        *state = State::Over(Some(failure));
        self.guest.notify_one();
        self.host.notify_one();
    }
}

fn stale() -> Failure {
    Failure::new(
        Code::Stale,
        "the host function this belongs to has returned",
    )
}

fn answer(guest: &mut Guest<'_>, request: Request) -> Result<Reply, Failure> {
    Ok(match request {
        Request::Alloc(length) => Reply::Number(guest.alloc(length)?),
        Request::Store(bytes) => Reply::Number(guest.store(&bytes)?),
        Request::Free(offset) => {
            guest.free(offset);
            Reply::Number(0)
        }
        Request::Length(offset) => Reply::Number(guest.length(offset).unwrap_or(0)),
        Request::Read(offset) => Reply::Bytes(guest.read(offset).map(<[u8]>::to_vec)),
    })
}

fn apply(guest: &mut Guest<'_>, returned: Return, outputs: &mut [Val]) -> Result<(), Failure> {
    match returned {
        Return::Failed(failure) => Err(failure),
        Return::Values(values, writes) => {
            for (offset, bytes) in writes {
                // A block that was freed meanwhile has nothing to be written to.
                if guest.length(offset).is_some() {
                    guest.write(offset, &bytes)?;
                }
            }
            for (output, value) in outputs.iter_mut().zip(values) {
                *output = value;
            }
            Ok(())
        }
    }
}
