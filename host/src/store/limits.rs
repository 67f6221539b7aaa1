//! The bounds of a store, and the refusal of what cannot fit in them.

use std::time::{Duration, Instant};

use super::Value;

/// The bounds of a store. By default there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The most entries at a time. 0 counts as 1: a store that can hold nothing would have to lose
    /// what it has just accepted.
    pub max_entries: Option<u64>,
    /// The most bytes of keys and values at a time. The bookkeeping, some 250 bytes an
    /// entry, comes on top, and so does a removed value for as long as a reader holds it.
    pub max_bytes: Option<u64>,
    /// How long an entry is present after it was last set, on the monotonic clock.
    pub ttl: Option<Duration>,
}

impl Limits {
    /// Measures the entry, and refuses the one that exceeds `max_bytes` on its own.
    pub(super) fn admit(&self, key: &str, value: &Value) -> Result<u64, TooLarge> {
        let key_bytes = key.len() as u64;
        let value_bytes = value.as_bytes().len() as u64;
        let bytes = key_bytes + value_bytes;
        match self.max_bytes {
            Some(max_bytes) if bytes > max_bytes => Err(TooLarge {
                key_bytes,
                value_bytes,
                max_bytes,
            }),
            _ => Ok(bytes),
        }
    }

    pub(super) fn exceeded_by(&self, entries: u64, bytes: u64) -> bool {
        self.max_entries.is_some_and(|max| entries > max.max(1))
            || self.max_bytes.is_some_and(|max| bytes > max)
    }

    /// A time beyond what the clock can express is never reached.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.ttl?)
    }
}

/// An entry was refused because it alone exceeds `max_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    pub key_bytes: u64,
    pub value_bytes: u64,
    pub max_bytes: u64,
}
