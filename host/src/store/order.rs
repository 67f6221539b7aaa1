//! The order of a store's entries, by insertion and by deadline, and the sums over them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::Instant;

#[derive(Default)]
pub(super) struct Order {
    /// By sequence number: ascending is the order of insertion.
    slots: BTreeMap<u64, Slot>,
    /// One member for each slot that has a deadline, none without a slot.
    deadlines: BTreeSet<(Instant, u64)>,
    /// The number given last. It never restarts, not even when the store is cleared, so that a
    /// cursor stays behind everything that was added after it.
    last_seq: u64,
    /// The sum over `slots`.
    bytes: u64,
    /// Bytes removed from the map since it was last told to reclaim.
    garbage: u64,
    evictions: u64,
    expirations: u64,
}

pub(super) struct Slot {
    pub key: Arc<str>,
    pub bytes: u64,
    pub deadline: Option<Instant>,
}

impl Order {
    /// Numbers start at 1, which leaves 0 for the cursor that is before all of them.
    pub fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// Puts `slot` at `seq`, which must be vacant.
    pub fn insert(&mut self, seq: u64, slot: Slot) {
        self.bytes += slot.bytes;
        self.deadlines.extend(slot.deadline.map(|at| (at, seq)));
        self.slots.insert(seq, slot);
    }

    pub fn remove(&mut self, seq: u64) -> Option<Slot> {
        let slot = self.slots.remove(&seq)?;
        self.bytes -= slot.bytes;
        if let Some(at) = slot.deadline {
            self.deadlines.remove(&(at, seq));
        }
        Some(slot)
    }

    /// Removes the slot that was inserted first, as an eviction.
    pub fn pop_oldest(&mut self) -> Option<Slot> {
        let (&seq, _) = self.slots.first_key_value()?;
        let slot = self.remove(seq)?;
        self.evictions += 1;
        Some(slot)
    }

    /// Removes the slot whose deadline came first if `now` has reached it, as an expiration.
    pub fn pop_expired(&mut self, now: Instant) -> Option<Slot> {
        let &(_, seq) = self.deadlines.first().filter(|(at, _)| *at <= now)?;
        let slot = self.remove(seq)?;
        self.expirations += 1;
        Some(slot)
    }

    /// Removes every slot, and returns the bytes they had.
    pub fn clear(&mut self) -> u64 {
        self.slots.clear();
        self.deadlines.clear();
        std::mem::take(&mut self.bytes)
    }

    /// The keys behind `cursor` with their numbers, in the order of insertion.
    pub fn after(&self, cursor: u64) -> impl Iterator<Item = (u64, &Arc<str>)> {
        let slots = self.slots.range((Excluded(cursor), Unbounded));
        slots.map(|(&seq, slot)| (seq, &slot.key))
    }

    pub fn has_deadlines(&self) -> bool {
        !self.deadlines.is_empty()
    }

    pub fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn evictions(&self) -> u64 {
        self.evictions
    }

    pub fn expirations(&self) -> u64 {
        self.expirations
    }

    /// Counts removed bytes, and returns how many await reclamation.
    pub fn add_garbage(&mut self, bytes: u64) -> u64 {
        self.garbage += bytes;
        self.garbage
    }

    pub fn reset_garbage(&mut self) {
        self.garbage = 0;
    }
}
