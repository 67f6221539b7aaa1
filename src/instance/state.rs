//! What a slot knows of the call that is running.

use std::sync::Arc;
use std::time::{Duration, Instant};

use extism::CancelHandle;

use crate::call::Call;
use crate::error::Failure;
use crate::exchange::Exchange;
use crate::store::Value;

#[derive(Default)]
pub struct State {
    pub cancel: Option<CancelHandle>,
    /// A call that is to run, alone, once the runtime is entered. Not before: the runtime does
    /// not know yet what a stop would be for, and forget it.
    pub held: Option<Call>,
    pub running: Option<Call>,
    pub started: Option<Instant>,
    /// Whether any call was begun since the runtime was entered.
    pub begun: bool,
    /// The running call is the only one to run now.
    pub alone: bool,
    /// It runs on a thread that does not wait for anything else, and cannot be left alone.
    pub borrowed: bool,
    /// When the running call is to be stopped, or, once it is being stopped, abandoned.
    pub deadline: Option<Instant>,
    /// Why the running call is being stopped. From here on nothing new may run.
    pub stop: Option<Failure>,
    /// The runtime was told to stop what runs. Its timer thread does so some time later, to
    /// whatever runs on this engine then.
    pub told: bool,
    /// The guest sleeps, and sees by itself that it is being stopped.
    pub asleep: bool,
    /// The error that the guest has set.
    pub error: Option<String>,
    /// What a lookup has found, until the guard fetches it.
    pub handed_over: Option<Value>,
    /// What a host function failed with, before it ended the guest's call.
    pub noted: Option<Failure>,
    /// The host function in JavaScript that the guest waits for.
    pub exchange: Option<Arc<Exchange>>,
    pub initialized: usize,
    /// Nobody waits for the guest any longer, wherever it is.
    pub abandoned: bool,
}

/// How long a guest may take to end once it is stopped. The runtime cannot interrupt what it does
/// in the system, nor a single instruction on gigabytes.
const GRACE: Duration = Duration::from_secs(1);

impl State {
    pub fn take(&mut self) -> Option<(Call, Duration)> {
        self.deadline = None;
        let ran = self.started.take().map(|started| started.elapsed());
        Some((self.running.take()?, ran.unwrap_or_default()))
    }

    pub fn stop(&mut self, failure: Failure) -> bool {
        if self.stop.is_some() {
            return false;
        }
        self.deadline = (!self.borrowed).then(|| Instant::now() + GRACE);
        // A guest that waits in a host function of ours needs no more than that function's end.
        if let Some(exchange) = self.exchange.take() {
            exchange.interrupt(failure.clone());
        } else if let Some(cancel) = self.cancel.as_ref().filter(|_| !self.asleep) {
            // Fails only while the process exits, which ends the call as well.
            self.told = cancel.cancel().is_ok();
        }
        self.stop = Some(failure);
        true
    }
}
