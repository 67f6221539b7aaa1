//! What a pool knows of its calls and instances.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::call::{Call, CallState};
use crate::error::{Code, Failure};
use crate::executor::Queue;
use crate::hash::NumberMap;
use crate::instance::Instance;
use crate::plugin_spec::Identity;
use crate::variables::Variables;

#[derive(Default)]
pub struct State {
    /// By number, and so in the order they came.
    pub calls: BTreeMap<u64, Call>,
    pub idle: Vec<Instance>,
    /// Instances that exist, or are being made.
    pub live: usize,
    pub running: NumberMap<u64, Running>,
    /// The thread of the plugin knows that calls wait.
    pub announced: bool,
    /// What instances that are gone have left to others.
    pub inheritance: Vec<Identity>,
    pub closed: bool,
    /// Who waits for the last instance to be done after a close.
    pub closers: Vec<(Arc<Queue>, u64)>,
}

pub struct Running {
    pub call: Arc<CallState>,
    pub identity: Identity,
}

impl State {
    /// The variables of an instance, also where the next one has not come yet.
    pub fn variables(&self, id: u32) -> Option<Arc<Variables>> {
        let running = self.running.values().map(|running| &running.identity);
        let idle = self.idle.iter().map(Instance::identity);
        let mut identities = running.chain(idle).chain(&self.inheritance);
        let identity = identities.find(|identity| identity.id == id);
        identity.map(|identity| identity.variables.clone())
    }

    /// How many calls are on workers now.
    pub fn on_workers(&self) -> usize {
        let running = self.running.values();
        running
            .filter(|running| running.call.place.is_on_worker())
            .count()
    }

    /// Takes out the calls that have waited too long; the first one has waited longest.
    pub fn take_late(&mut self, now: Instant, timeout: Option<Duration>) -> Vec<Call> {
        let mut late = Vec::new();
        while self.next_late(timeout).is_some_and(|due| due <= now) {
            late.extend(self.calls.pop_first().map(|(_, call)| call));
        }
        late
    }

    /// When the first call will have waited too long.
    pub fn next_late(&self, timeout: Option<Duration>) -> Option<Instant> {
        let (_, call) = self.calls.first_key_value()?;
        call.queued.checked_add(timeout?)
    }

    /// Who is to be told that nothing runs any longer.
    pub fn drained(&mut self) -> Vec<(Arc<Queue>, u64)> {
        match self.closed && self.running.is_empty() && self.calls.is_empty() {
            true => std::mem::take(&mut self.closers),
            false => Vec::new(),
        }
    }
}

pub fn closed() -> Failure {
    Failure::new(Code::Closed, "the plugin is closed")
}
