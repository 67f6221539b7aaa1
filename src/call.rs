//! One call: input in, output or failure out, settled exactly once.

use std::time::Duration;

use crate::error::Failure;

/// What a call ends with: the output, or `None` where the guest has set none.
pub type Outcome = Result<Option<Vec<u8>>, Failure>;

/// The caller's end of a call. Whoever implements this reports a call that is dropped
/// unsettled, too.
pub trait Settle: Send {
    fn settle(self: Box<Self>, outcome: Outcome);
}

pub struct Call {
    /// Distinguishes the calls of one process.
    pub id: u64,
    /// The position in [`Blueprint::functions`](crate::module::Blueprint::functions).
    pub function: usize,
    pub input: Vec<u8>,
    /// How long it may run, once it runs.
    pub timeout: Option<Duration>,
    pub ticket: Box<dyn Settle>,
}

impl Call {
    pub fn settle(self, outcome: Outcome) {
        self.ticket.settle(outcome);
    }
}
