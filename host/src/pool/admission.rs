//! Which calls get in.

use std::sync::Arc;

use super::Pool;
use super::state::{State, closed};
use crate::call::Call;
use crate::error::{Code, Failure};
use crate::watchdog;

impl Pool {
    /// Puts a call in the queue, or settles it where it is refused.
    pub fn submit(self: &Arc<Self>, call: Call) {
        let mut state = self.state();
        if let Err(failure) = self.admit(&state, call.nested) {
            drop(state);
            return self.settle(&call.queue, call.id, call.function, Err(failure));
        }
        let due = self
            .options
            .queue_timeout
            .and_then(|timeout| call.queued.checked_add(timeout));
        state.calls.insert(call.id, call);
        self.announce(state);
        // Not before it is there to be found.
        if let Some(due) = due {
            watchdog::expect(due);
        }
    }

    fn admit(&self, state: &State, nested: bool) -> Result<(), Failure> {
        if state.closed {
            return Err(closed());
        }
        let free = self.options.instances.saturating_sub(state.running.len());
        if nested && state.calls.len() >= free {
            let message = "a host function called its own plugin, which has no free instance";
            return Err(Failure::new(Code::Reentrant, message));
        }
        let limit = self.options.max_queue;
        if state.calls.len() >= limit.saturating_add(free) {
            let message = format!("the queue is full: {limit} calls waiting (maxQueue)");
            return Err(Failure::new(Code::QueueFull, message));
        }
        Ok(())
    }

    /// Whether a call may run now that its thread waits for.
    pub(super) fn admit_sync(&self, state: &State) -> Result<(), Failure> {
        if state.closed {
            return Err(closed());
        }
        if state.running.len() + state.calls.len() >= self.options.instances {
            let message = "the plugin is running another call";
            return Err(Failure::new(Code::Busy, message));
        }
        Ok(())
    }
}
