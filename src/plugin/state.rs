//! What a queue knows of its calls and instances.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use crate::call::{Call, Settle};
use crate::error::{Code, Failure};
use crate::instance::{Identity, Instance, Slot};
use crate::variables::Variables;

/// With so many guests left alone, a plugin takes no further calls: each keeps a thread and its
/// memory. Calls that run already may be left alone on top.
const MAX_ABANDONED: usize = 16;

#[derive(Default)]
pub struct State {
    /// By id, and so in the order they came.
    pub calls: BTreeMap<u64, Call>,
    pub next_id: u64,
    pub idle: Vec<Instance>,
    /// Instances that have a thread, or are getting one.
    pub active: usize,
    /// Those of them that wait for a call, and how many of these are being woken.
    pub waiting: usize,
    pub woken: usize,
    /// How many look for a call without the lock.
    pub looking: usize,
    /// How many callers wait for an instance to run a call on their own thread.
    pub borrowers: usize,
    pub slots: Vec<Arc<Slot>>,
    /// Those of guests that were left alone; they are gone once their guests have ended.
    abandoned: Vec<Weak<Slot>>,
    /// What instances that are gone have left to others.
    pub inheritance: Vec<Identity>,
    pub closed: bool,
    /// Who waits for the last instance to be done after a close.
    pub closers: Vec<Box<dyn Settle>>,
}

impl State {
    /// How many instances run a call.
    pub fn busy(&self) -> usize {
        let slots = self.slots.iter();
        slots.filter(|slot| slot.running().is_some()).count()
    }

    /// The variables of an instance, also where the next one has not come yet.
    pub fn variables(&self, id: u32) -> Option<&Arc<Variables>> {
        let identities = self.slots.iter().map(|slot| slot.identity());
        let mut identities = identities.chain(&self.inheritance);
        let identity = identities.find(|identity| identity.id == id);
        identity.map(|identity| &identity.variables)
    }

    /// Takes out the slots that nothing but this has any longer. A call that one of them was
    /// left with is lost, and says so when it is dropped.
    pub fn forget_gone(&mut self) -> Vec<Arc<Slot>> {
        self.take_out(|slot| Arc::strong_count(slot) == 1)
    }

    /// Leaves an instance alone, whose guest does not end.
    pub fn abandon(&mut self, slot: &Slot) {
        self.abandoned.retain(|slot| slot.strong_count() > 0);
        let taken = self.take_out(|known| known.id() == slot.id());
        self.abandoned.extend(taken.iter().map(Arc::downgrade));
    }

    fn take_out(&mut self, which: impl Fn(&Arc<Slot>) -> bool) -> Vec<Arc<Slot>> {
        let taken = self.slots.extract_if(.., |slot| which(slot));
        let taken: Vec<_> = taken.collect();
        let identities = taken.iter().map(|slot| slot.identity().clone());
        self.inheritance.extend(identities);
        taken
    }

    /// Whether calls may be taken at all.
    pub fn usable(&self) -> Result<(), Failure> {
        if self.closed {
            return Err(closed());
        }
        self.room()
    }

    /// Whether a guest may run beside those that were left alone.
    pub fn room(&self) -> Result<(), Failure> {
        let abandoned = self.abandoned.iter();
        let abandoned = abandoned.filter(|slot| slot.strong_count() > 0);
        if abandoned.count() < MAX_ABANDONED {
            return Ok(());
        }
        let message = format!(
            "the plugin takes no calls while {MAX_ABANDONED} or more that were stopped have not ended"
        );
        Err(Failure::new(Code::Stuck, message))
    }

    /// One instance has nothing to do any longer. Who is to be told that this was the last.
    pub fn deactivate(&mut self) -> Vec<Box<dyn Settle>> {
        self.active = self.active.saturating_sub(1);
        self.drained()
    }

    pub fn drained(&mut self) -> Vec<Box<dyn Settle>> {
        if self.closed && self.active == 0 {
            std::mem::take(&mut self.closers)
        } else {
            Vec::new()
        }
    }
}

pub fn closed() -> Failure {
    Failure::new(Code::Closed, "the plugin is closed")
}
