//! One call: input in, output or failure out, settled exactly once.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use crate::error::{Code, Failure};
use crate::plugin::Stats;

/// What a call ends with: the output, or `None` where the guest has set none.
pub type Outcome = Result<Option<Vec<u8>>, Failure>;

/// The caller's end of a call. Whoever implements this reports a call that is dropped
/// unsettled, too.
pub trait Settle: Send {
    fn settle(self: Box<Self>, outcome: Outcome);
}

/// For callers that wait on a thread of their own.
impl Settle for Sender<Outcome> {
    fn settle(self: Box<Self>, outcome: Outcome) {
        // Nobody waits any longer, which is the caller's own choice.
        let _ = self.send(outcome);
    }
}

pub struct Call {
    /// Distinguishes the calls of one plugin, and orders them.
    pub id: u64,
    /// The position in [`Blueprint::functions`](crate::module::Blueprint::functions).
    pub function: usize,
    pub input: Vec<u8>,
    /// How long it may run, once it runs.
    pub timeout: Option<Duration>,
    /// Whether it comes from a host function that its own plugin waits for.
    pub nested: bool,
    /// When it was put in the queue.
    pub queued: Instant,
    pub stats: Arc<Stats>,
    pub ticket: Box<dyn Settle>,
}

/// For a call that nobody settled.
pub fn lost() -> Failure {
    Failure::new(Code::Internal, "the call was lost")
}

impl Call {
    pub fn settle(self, outcome: Outcome) {
        self.stats
            .settled(outcome.as_ref().err().map(|failure| failure.code));
        self.ticket.settle(outcome);
    }
}
