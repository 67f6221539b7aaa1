//! How long the functions of a plugin have lately computed, which says where the next call runs.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use crate::executor::slice::SLICE;

/// How many calls are remembered. The longest of them counts: a function that is long now and then
/// would hold up the thread that called each time.
const REMEMBERED: usize = 4;

#[derive(Default)]
struct Recent {
    micros: [AtomicU32; REMEMBERED],
    next: AtomicU32,
}

pub struct Times {
    functions: Vec<Recent>,
    /// Of instantiations, start code included.
    building: Recent,
}

impl Recent {
    fn record(&self, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let next = self.next.fetch_add(1, Relaxed) as usize;
        self.micros[next % REMEMBERED].store(micros, Relaxed);
    }

    fn longest(&self) -> Duration {
        let micros = self.micros.iter().map(|micros| micros.load(Relaxed)).max();
        Duration::from_micros(micros.unwrap_or(0).into())
    }

    fn is_known(&self) -> bool {
        self.next.load(Relaxed) > 0
    }
}

impl Times {
    pub fn new(functions: usize) -> Self {
        Self {
            functions: (0..functions).map(|_| Recent::default()).collect(),
            building: Recent::default(),
        }
    }

    pub fn record(&self, function: Option<usize>, time: Duration) {
        if let Some(recent) = function.and_then(|function| self.functions.get(function)) {
            recent.record(time);
        }
    }

    pub fn record_building(&self, time: Duration) {
        self.building.record(time);
    }

    /// What a call is expected to compute for.
    pub fn expected(&self, function: Option<usize>) -> Duration {
        let recent = function.and_then(|function| self.functions.get(function));
        recent.map_or(Duration::ZERO, Recent::longest)
    }

    /// Whether a call is expected to use up a slice.
    pub fn is_long(&self, function: Option<usize>) -> bool {
        self.expected(function) >= SLICE
    }

    /// Whether making an instance is expected to take less than half a slice.
    pub fn builds_fast(&self) -> bool {
        self.building.is_known() && self.building.longest() < SLICE / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_the_last_calls_counts() {
        let times = Times::new(1);
        assert!(!times.is_long(Some(0)));
        times.record(Some(0), SLICE * 2);
        for _ in 0..REMEMBERED - 1 {
            times.record(Some(0), Duration::from_micros(5));
            assert!(times.is_long(Some(0)));
        }
        times.record(Some(0), Duration::from_micros(5));
        assert!(!times.is_long(Some(0)));
    }

    #[test]
    fn an_instantiation_nobody_has_seen_is_slow() {
        let times = Times::new(0);
        assert!(!times.builds_fast());
        times.record_building(Duration::from_micros(50));
        assert!(times.builds_fast());
    }
}
