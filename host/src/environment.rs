//! What a thread of the embedder does with its queue: it polls tasks, and is told what only it can
//! do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::call::Outcome;
use crate::engine;
use crate::error::Failure;
use crate::executor::{Event, Queue};
use crate::host_call::HostCall;
use crate::log::Message;
use crate::threads;

/// How long guests may have the thread before others have their turn.
const TURN: Duration = Duration::from_millis(2);

/// What the thread is to do next.
pub enum Step {
    /// Nothing is left.
    Idle,
    /// The turn is over, and something is left.
    TurnOver,
    HostCall(Arc<HostCall>),
    /// No guest waits for the host function of this number any longer.
    Forget(u32),
    Message(Message),
    /// The operation of this number has ended.
    Settled(u64, Outcome),
}

/// One turn of the thread's loop.
pub struct Turn {
    begun: Option<Instant>,
    /// Why no guest may run.
    refused: Option<Failure>,
}

impl Turn {
    /// For a loop that others have to wait for.
    pub fn bounded() -> Self {
        let now = Instant::now();
        Self {
            begun: Some(now),
            refused: engine::recheck_signal_handlers(now).err(),
        }
    }

    /// For a call that the thread waits for.
    pub fn unbounded() -> Result<Self, Failure> {
        engine::recheck_signal_handlers(Instant::now())?;
        Ok(Self {
            begun: None,
            refused: None,
        })
    }

    /// Whether it has had its time.
    pub fn is_over(&self) -> bool {
        self.begun.is_some_and(|begun| begun.elapsed() >= TURN)
    }

    /// Works on the queue until there is something for the embedder.
    pub fn step(&self, queue: &Queue) -> Step {
        loop {
            let Some(event) = queue.pop() else {
                return Step::Idle;
            };
            match event {
                Event::HostCall(call) => return Step::HostCall(call),
                Event::Forget(id) => return Step::Forget(id),
                Event::Message(message) => return Step::Message(message),
                Event::Settled(id, outcome) => return Step::Settled(id, outcome),
                Event::Ready(pool) => match &self.refused {
                    Some(failure) => pool.fail_waiting(failure),
                    None if self.is_over() => {
                        queue.push_front(Event::Ready(pool));
                        return Step::TurnOver;
                    }
                    None => {
                        let _runtime = threads::enter();
                        pool.run_next();
                    }
                },
                Event::Run(runnable) => {
                    if self.is_over() {
                        queue.push_front(Event::Run(runnable));
                        return Step::TurnOver;
                    }
                    let _runtime = threads::enter();
                    runnable.run();
                }
            }
        }
    }
}
