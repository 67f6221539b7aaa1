//! A map of strings to values that its owner fills while plugins on other threads read it.
//!
//! It keeps the order of a JavaScript `Map`: by insertion, an overwrite stays in its place, a key
//! that was deleted and set again goes to the end.
#![forbid(unsafe_code)]

mod limits;
mod order;
#[cfg(test)]
mod tests;
mod value;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::Instant;

use papaya::{Guard, HashMap};

pub use self::limits::{Limits, TooLarge};
use self::order::{Order, Slot};
pub use self::value::Value;

/// The map gives removed entries back in batches of 32 or more, which is nothing while values are
/// small and gigabytes when they are not. From this many bytes on, a batch is not waited for: one
/// reclamation costs a memory barrier across all threads, little beside a copy of 64 KiB.
const RECLAIM_BYTES: u64 = 64 * 1024;

/// An insertion-ordered map from strings to values, bounded by its [`Limits`].
///
/// [`get`](Store::get) and [`has`](Store::has) take no lock: they wait for nobody and find a value
/// whole, the former one or the new one. Every other method takes one lock among writers. An entry
/// whose time is up is absent everywhere, to the instant.
pub struct Store {
    limits: Limits,
    now: fn() -> Instant,
    map: HashMap<Arc<str>, Entry>,
    /// Taken before any write to `map` and held until both agree again.
    order: Mutex<Order>,
    reads: Reads,
}

struct Entry {
    seq: u64,
    deadline: Option<Instant>,
    value: Value,
}

/// Every read writes these: without lines of their own they would take from the other readers the
/// one that holds the map's root. 128 bytes, because x86-64 fetches lines in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Reads {
    hits: AtomicU64,
    misses: AtomicU64,
}

/// One step of an iteration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where to go on behind this item, see [`Store::next_batch`].
    pub cursor: u64,
    pub key: Arc<str>,
    pub value: Value,
}

/// What a store holds and what happened to it since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub entries: u64,
    /// Bytes of the keys (as UTF-8) and of the values. Bookkeeping is not counted, so that the sum
    /// can be checked from outside.
    pub bytes: u64,
    /// Calls of [`Store::get`] that found a value; [`Store::has`] is not counted.
    pub hits: u64,
    pub misses: u64,
    /// Entries dropped to keep to `max_entries` or `max_bytes`.
    pub evictions: u64,
    /// Entries dropped because their `ttl` was over.
    pub expirations: u64,
}

/// Has the system prepare the process for maps that are read without a lock. That takes it some
/// milliseconds, once, which the first store would otherwise wait for.
pub fn prepare() {
    static ONCE: Once = Once::new();
    let first = || drop(Store::new(Limits::default()));
    // Without a thread, the first store waits.
    ONCE.call_once(|| drop(thread::Builder::new().spawn(first)));
}

impl Store {
    pub fn new(limits: Limits) -> Self {
        Self::with_clock(limits, Instant::now)
    }

    /// A store for which the time is what `now` says: for tests.
    pub fn with_clock(limits: Limits, now: fn() -> Instant) -> Self {
        Self {
            limits,
            now,
            map: HashMap::new(),
            order: Mutex::default(),
            reads: Reads::default(),
        }
    }

    /// Finds the value of `key`, and counts a hit or a miss.
    pub fn get(&self, key: &str) -> Option<Value> {
        let value = self.live(key, |entry| entry.value.clone());
        let counter = match value {
            Some(_) => &self.reads.hits,
            None => &self.reads.misses,
        };
        counter.fetch_add(1, Relaxed);
        value
    }

    /// Tells whether `key` is present. Counts neither a hit nor a miss.
    pub fn has(&self, key: &str) -> bool {
        self.live(key, |_| ()).is_some()
    }

    /// Sets the value of `key` and starts its `ttl` anew.
    ///
    /// A new key goes to the end of the order. Where the entry would exceed a bound, the oldest
    /// others by insertion are evicted first, so that no reader ever finds the bound exceeded.
    ///
    /// # Errors
    ///
    /// [`TooLarge`] if the entry would exceed `max_bytes` on its own. Nothing has changed then: no
    /// entry was evicted, and `key` keeps the value it had.
    pub fn set(&self, key: &str, value: Value) -> Result<(), TooLarge> {
        let bytes = self.limits.admit(key, &value)?;
        let mut order = self.order();

        // An overwritten entry leaves the order until it is written, though never the map: thus it
        // is not counted twice, and cannot be the one that is evicted for its own sake.
        let former = self.map.pin().get(key).map(|entry| entry.seq);
        let former = former.and_then(|seq| Some((seq, order.remove(seq)?)));
        let (seq, key, garbage) = match former {
            Some((seq, slot)) => (seq, slot.key, slot.bytes),
            None => (order.next_seq(), Arc::from(key), 0),
        };

        // First in, first out, although SIEVE would keep what is read most: who knows the order of
        // iteration knows what goes next, and can keep an entry by `delete` and `set`, as is the
        // custom with a `Map`. A read has no flag to write, an eviction no flags to search.
        while self
            .limits
            .exceeded_by(order.len() + 1, order.bytes() + bytes)
            && let Some(oldest) = order.pop_oldest()
        {
            self.discard(&mut order, &oldest);
        }

        let deadline = self.limits.deadline((self.now)());
        order.insert(
            seq,
            Slot {
                key: key.clone(),
                bytes,
                deadline,
            },
        );
        self.map.pin().insert(
            key,
            Entry {
                seq,
                deadline,
                value,
            },
        );
        self.reclaim(&mut order, garbage);
        Ok(())
    }

    /// Removes `key`, and tells whether it was present.
    pub fn delete(&self, key: &str) -> bool {
        let mut order = self.order();
        let seq = self.map.pin().get(key).map(|entry| entry.seq);
        let slot = seq.and_then(|seq| order.remove(seq));
        if let Some(slot) = &slot {
            self.discard(&mut order, slot);
        }
        slot.is_some()
    }

    /// Removes every entry. To a concurrent reader they vanish one by one.
    pub fn clear(&self) {
        let mut order = self.order();
        let garbage = order.clear();
        self.map.pin().clear();
        self.reclaim(&mut order, garbage);
    }

    /// Counts the entries.
    pub fn size(&self) -> u64 {
        self.order().len()
    }

    /// Takes up to `n` entries in the order of insertion, from the one behind `cursor` on.
    ///
    /// An iteration starts with the cursor 0 and goes on with that of the last item consumed; an
    /// empty batch is its end, hence an `n` of 0 counts as 1. It is live as that of a `Map`: what
    /// is added meanwhile is visited, also after a `clear`, what is deleted is not, and a key
    /// deleted and set again is visited again. A batch itself is a snapshot: who must notice a
    /// write in the middle of one drops the rest and resumes from the last item consumed.
    pub fn next_batch(&self, cursor: u64, n: usize) -> Vec<Item> {
        let order = self.order();
        let map = self.map.pin();
        order
            .after(cursor)
            .filter_map(|(seq, key)| {
                Some(Item {
                    cursor: seq,
                    key: key.clone(),
                    value: map.get(key)?.value.clone(),
                })
            })
            .take(n.max(1))
            .collect()
    }

    /// The bytes of the keys and of the values.
    pub fn bytes(&self) -> u64 {
        self.order().bytes()
    }

    pub fn stats(&self) -> Stats {
        let order = self.order();
        Stats {
            entries: order.len(),
            bytes: order.bytes(),
            hits: self.reads.hits.load(Relaxed),
            misses: self.reads.misses.load(Relaxed),
            evictions: order.evictions(),
            expirations: order.expirations(),
        }
    }

    /// The guard of the map ends with this function, whatever `read` returns: the map frees nothing
    /// that was removed while one is held.
    fn live<T>(&self, key: &str, read: impl FnOnce(&Entry) -> T) -> Option<T> {
        let map = self.map.pin();
        let entry = map.get(key)?;
        let expired = entry.deadline.is_some_and(|at| at <= (self.now)());
        (!expired).then(|| read(entry))
    }

    /// Locks the order and drops what has expired, which is what makes the order exact.
    fn order(&self) -> MutexGuard<'_, Order> {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        if order.has_deadlines() {
            let now = (self.now)();
            while let Some(expired) = order.pop_expired(now) {
                self.discard(&mut order, &expired);
            }
        }
        order
    }

    fn discard(&self, order: &mut Order, slot: &Slot) {
        self.map.pin().remove(&slot.key);
        self.reclaim(order, slot.bytes);
    }

    fn reclaim(&self, order: &mut Order, bytes: u64) {
        if order.add_garbage(bytes) >= RECLAIM_BYTES {
            order.reset_garbage();
            self.map.guard().flush();
        }
    }
}
