//! The modules of the process. Threads that need the same one at the same time compile it once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, TryLockError, Weak};

use super::CompiledModule;
use crate::engine::EngineClass;
use crate::error::Failure;
use crate::sync::lock;

/// An engine, and the digest of a module's bytes.
type Key = (EngineClass, [u8; 32]);

/// Its lock is held while the module is compiled.
type Entry = Mutex<Weak<CompiledModule>>;

/// The lock of the map is never held while a module is compiled.
static ENTRIES: Mutex<BTreeMap<Key, Arc<Entry>>> = Mutex::new(BTreeMap::new());

pub fn get_or_make(
    key: Key,
    make: impl FnOnce() -> Result<CompiledModule, Failure>,
) -> Result<Arc<CompiledModule>, Failure> {
    let entry = entry(key);
    let mut known = lock(&entry);
    if let Some(module) = known.upgrade() {
        return Ok(module);
    }
    let module = Arc::new(make()?);
    *known = Arc::downgrade(&module);
    Ok(module)
}

/// A module that is being compiled is not there yet.
pub fn has(key: Key) -> bool {
    let Some(entry) = lock(&ENTRIES).get(&key).cloned() else {
        return false;
    };
    match entry.try_lock() {
        Ok(known) => known.strong_count() > 0,
        Err(TryLockError::Poisoned(known)) => known.get_ref().strong_count() > 0,
        Err(TryLockError::WouldBlock) => false,
    }
}

fn entry(key: Key) -> Arc<Entry> {
    let mut entries = lock(&ENTRIES);
    // An entry that nobody else has is not locked, so this does not wait.
    entries.retain(|_, entry| Arc::strong_count(entry) > 1 || lock(entry).strong_count() > 0);
    entries.entry(key).or_default().clone()
}
