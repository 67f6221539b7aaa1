//! What a queue knows of its calls and instances.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use crate::call::{Call, Settle};
use crate::error::{Code, Failure};
use crate::instance::{Instance, Slot};
use crate::variables::Variables;

/// How many guests may be left alone at the same time. Each keeps a thread and its memory.
const MAX_STUCK: usize = 16;

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
    stuck: Vec<Weak<Slot>>,
    /// What these guests kept, for those that take their place.
    pub inheritance: Vec<Arc<Variables>>,
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

    /// Takes out the slots that nothing but this has any longer. A call that one of them was
    /// left with is lost, and says so when it is dropped.
    pub fn forget_gone(&mut self) -> Vec<Arc<Slot>> {
        let gone = |slot: &mut Arc<Slot>| Arc::strong_count(slot) == 1;
        self.slots.extract_if(.., gone).collect()
    }

    /// Knows a slot no longer as one of an instance: its guest does not end.
    pub fn leave_alone(&mut self, slot: &Slot) {
        self.stuck.retain(|slot| slot.strong_count() > 0);
        let left = self.slots.extract_if(.., |known| known.id() == slot.id());
        for slot in left {
            self.stuck.push(Arc::downgrade(&slot));
            self.inheritance.push(slot.variables().clone());
        }
    }

    /// Whether calls may be taken at all.
    pub fn usable(&self) -> Result<(), Failure> {
        if self.closed {
            return Err(closed());
        }
        self.room()
    }

    /// Whether another guest may run beside those that were left alone.
    pub fn room(&self) -> Result<(), Failure> {
        let stuck = self.stuck.iter().filter(|slot| slot.strong_count() > 0);
        if stuck.count() < MAX_STUCK {
            return Ok(());
        }
        let message =
            format!("the plugin takes no calls until one of {MAX_STUCK} that were stopped ends");
        Err(Failure::new(Code::Busy, message))
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
