//! How many instances the process has room for. Where the system has no more mappings of memory,
//! whoever needs the next one ends the process, and that may be V8.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::{Code, Failure};
use crate::module::Blueprint;

static TAKEN: AtomicU64 = AtomicU64::new(0);

/// How many mappings instances may have: three quarters of what the system allows, if it says so.
static ALLOWED: LazyLock<u64> = LazyLock::new(|| {
    let file = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    let count = file.ok().and_then(|text| text.trim().parse::<u64>().ok());
    count.map_or(u64::MAX, |count| count / 4 * 3)
});

/// What an instance has of it, until it is dropped.
pub struct Share(u64);

impl Share {
    pub fn of(blueprint: &Blueprint) -> Result<Self, Failure> {
        let wanted = mappings(blueprint);
        let taken = TAKEN.fetch_add(wanted, Relaxed);
        let share = Self(wanted);
        if taken.saturating_add(wanted) <= *ALLOWED {
            return Ok(share);
        }
        let allowed = *ALLOWED;
        let message = format!(
            "the process has room for no more instances: this one would need {wanted} mappings of memory, and {taken} of {allowed} are taken"
        );
        Err(Failure::new(Code::Instance, message))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.0, Relaxed);
    }
}

/// A little more than what was counted: some for the kernel, three for each memory and for the
/// code of each module.
fn mappings(blueprint: &Blueprint) -> u64 {
    10 + 3 * (blueprint.modules.len() as u64 + blueprint.bounds.memories)
}
