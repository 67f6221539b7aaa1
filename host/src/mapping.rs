//! How many instances the process has room for. Where the system has no more memory mappings,
//! the next allocation that needs one ends the process, and that may be V8's.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::{Code, Failure};

/// The mappings of all instances.
static MAPPINGS: LazyLock<Budget> = LazyLock::new(|| {
    let file = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    let count = file.ok().and_then(|text| text.trim().parse::<u64>().ok());
    Budget {
        taken: AtomicU64::new(0),
        // The rest of the process gets a quarter of what the system allows, if it says so.
        allowed: count.map_or(u64::MAX, |count| count / 4 * 3),
    }
});

#[derive(Debug)]
struct Budget {
    taken: AtomicU64,
    allowed: u64,
}

/// A fiber's stack, and the guard page below it.
const FIBER_MAPPINGS: u64 = 2;

/// What is accessible of a memory, what is reserved behind it, and the image of its data segments.
const MEMORY_MAPPINGS: u64 = 3;

/// An upper bound of the mappings of an instance, for a guest with this many memories. The kernel
/// has one more. Tables are on the heap, and code is shared.
pub fn instance_mappings(memories: u64) -> u64 {
    memory_mappings(memories.saturating_add(1)).saturating_add(FIBER_MAPPINGS)
}

/// The same for memories alone.
pub fn memory_mappings(memories: u64) -> u64 {
    memories.saturating_mul(MEMORY_MAPPINGS)
}

/// Permission to have a number of mappings, until it is dropped.
#[must_use]
#[derive(Debug)]
pub struct MappingPermit {
    budget: &'static Budget,
    mappings: u64,
}

impl MappingPermit {
    /// Fails if the process would have too many mappings.
    pub fn acquire(mappings: u64) -> Result<Self, Failure> {
        Self::acquire_from(&MAPPINGS, mappings)
    }

    fn acquire_from(budget: &'static Budget, mappings: u64) -> Result<Self, Failure> {
        let allowed = budget.allowed;
        let granted = budget.taken.fetch_update(Relaxed, Relaxed, |taken| {
            taken.checked_add(mappings).filter(|sum| *sum <= allowed)
        });
        match granted {
            Ok(_) => Ok(Self { budget, mappings }),
            Err(taken) => Err(Failure::new(
                Code::Instance,
                format!(
                    "the process has room for no more instances: this one would need {mappings} mappings of memory, and {taken} of {allowed} are taken"
                ),
            )),
        }
    }
}

impl Drop for MappingPermit {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.mappings, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_with_one_memory_has_eight_mappings() {
        assert_eq!(instance_mappings(1), 8);
        assert_eq!(instance_mappings(0), 5);
        assert_eq!(instance_mappings(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_refused_permit_takes_nothing_and_a_dropped_one_gives_back() {
        static BUDGET: Budget = Budget {
            taken: AtomicU64::new(0),
            allowed: 100,
        };
        let acquire = |mappings| MappingPermit::acquire_from(&BUDGET, mappings);
        let most = acquire(90).unwrap();
        let refused = acquire(11).unwrap_err();
        assert_eq!(refused.code, Code::Instance);
        assert_eq!(
            refused.message,
            "the process has room for no more instances: this one would need 11 mappings of memory, and 90 of 100 are taken"
        );
        acquire(u64::MAX).unwrap_err();
        let rest = acquire(10).unwrap();
        drop(most);
        drop((acquire(90).unwrap(), rest));
        assert_eq!(BUDGET.taken.load(Relaxed), 0);
    }

    #[test]
    fn the_process_has_room_for_an_instance() {
        drop(MappingPermit::acquire(instance_mappings(1)).unwrap());
    }
}
