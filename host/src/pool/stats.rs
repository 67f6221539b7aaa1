//! What a plugin has done, in counters that cost a call a few additions.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::error::Code;
use crate::sync::lock;

#[derive(Default)]
pub struct Stats {
    calls: AtomicU64,
    replaced: AtomicU64,
    moved: AtomicU64,
    /// How calls failed. Failures are rare enough for a lock.
    errors: Mutex<BTreeMap<&'static str, u64>>,
    pub waiting: Histogram,
    pub running: Histogram,
}

impl Stats {
    pub fn settled(&self, failed: Option<Code>) {
        self.calls.fetch_add(1, Relaxed);
        if let Some(code) = failed {
            *lock(&self.errors).entry(code.name()).or_default() += 1;
        }
    }

    pub fn replaced(&self) {
        self.replaced.fetch_add(1, Relaxed);
    }

    pub fn moved(&self) {
        self.moved.fetch_add(1, Relaxed);
    }

    /// Settled calls, replaced instances, calls that moved, and failures by code.
    pub fn totals(&self) -> (u64, u64, u64, BTreeMap<&'static str, u64>) {
        let errors = lock(&self.errors).clone();
        (
            self.calls.load(Relaxed),
            self.replaced.load(Relaxed),
            self.moved.load(Relaxed),
            errors,
        )
    }
}

/// Each power of two of nanoseconds is divided into this many buckets, as a power of two: a
/// percentile is off by an eighth at the most.
const DIVISIONS: u32 = 3;
const BUCKETS: usize = 64 << DIVISIONS;

/// Durations, counted in buckets whose width grows with the duration.
pub struct Histogram {
    buckets: Box<[AtomicU64; BUCKETS]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: Box::new([const { AtomicU64::new(0) }; BUCKETS]),
        }
    }
}

impl Histogram {
    pub fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos)].fetch_add(1, Relaxed);
    }

    /// The duration that this share of those recorded does not exceed; zero if there are none.
    pub fn percentile(&self, share: f64) -> Duration {
        let counts = self.buckets.each_ref().map(|bucket| bucket.load(Relaxed));
        let rank = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let found = counts.iter().position(|count| {
            seen += count;
            rank > 0 && seen >= rank
        });
        Duration::from_nanos(found.map_or(0, largest))
    }
}

fn bucket(nanos: u64) -> usize {
    let exponent = (nanos | 1).ilog2();
    if exponent < DIVISIONS {
        return nanos as usize;
    }
    let shift = exponent - DIVISIONS;
    (((shift + 1) as usize) << DIVISIONS) + ((nanos >> shift) as usize & ((1 << DIVISIONS) - 1))
}

/// The largest number of nanoseconds in a bucket.
fn largest(bucket: usize) -> u64 {
    let (row, column) = (bucket >> DIVISIONS, bucket as u64 & ((1 << DIVISIONS) - 1));
    match row {
        0 => column,
        _ => ((1 << DIVISIONS) + column + 1)
            .checked_shl(row as u32 - 1)
            .map_or(u64::MAX, |bound| bound.wrapping_sub(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_off_by_an_eighth_at_most() {
        for nanos in (0..63).map(|shift| (1u64 << shift) + (1 << shift) / 3) {
            let histogram = Histogram::default();
            histogram.record(Duration::from_nanos(nanos));
            let found = histogram.percentile(0.5).as_nanos() as u64;
            assert!(
                found >= nanos && found - nanos <= nanos / 8,
                "{nanos}: {found}"
            );
        }
    }

    #[test]
    fn percentiles_are_by_rank() {
        let histogram = Histogram::default();
        assert_eq!(histogram.percentile(0.99), Duration::ZERO);
        for _ in 0..99 {
            histogram.record(Duration::from_nanos(5));
        }
        histogram.record(Duration::from_secs(1));
        assert_eq!(histogram.percentile(0.5).as_nanos(), 5);
        assert_eq!(histogram.percentile(0.99).as_nanos(), 5);
        assert!(histogram.percentile(1.0) >= Duration::from_secs(1));
    }
}
