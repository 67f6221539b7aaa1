//! A promise that JavaScript holds, as other threads have it.

use std::sync::Arc;

use super::settler::{Event, Pending, Sender};
use crate::call::{Outcome, Settle, lost};

/// Settles one promise, once. Dropped unsettled it rejects, so that no panic strands a caller.
pub struct Ticket {
    pending: Option<Pending>,
    sender: Arc<Sender>,
}

impl Ticket {
    pub fn new(pending: Pending, sender: Arc<Sender>) -> Self {
        Self {
            pending: Some(pending),
            sender,
        }
    }

    fn send(&mut self, outcome: Outcome) {
        if let Some(pending) = self.pending.take() {
            self.sender.send(Event::Settle(pending, outcome));
        }
    }
}

impl Settle for Ticket {
    fn settle(mut self: Box<Self>, outcome: Outcome) {
        self.send(outcome);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.send(Err(lost()));
    }
}
