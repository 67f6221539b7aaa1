//! The modules of the process. Threads that need the same one at the same time compile it once.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::Instant;

use super::CompiledModule;
use crate::engine::EngineClass;
use crate::error::Failure;
use crate::sync::{lock, wait_until};

/// An engine, and the digest of a module's bytes.
type Key = (EngineClass, [u8; 32]);

#[derive(Default)]
struct Entry {
    state: Mutex<State>,
    compiled: Condvar,
}

#[derive(Default)]
struct State {
    module: Weak<CompiledModule>,
    /// A thread compiles the module.
    compiling: bool,
}

static ENTRIES: Mutex<BTreeMap<Key, Arc<Entry>>> = Mutex::new(BTreeMap::new());

/// The module, which `make` compiles unless it is there, or another thread compiles it already.
/// `None` if that other thread is not done by the deadline. `make` must not panic.
pub fn get_or_make(
    key: Key,
    deadline: Option<Instant>,
    make: impl FnOnce() -> Result<CompiledModule, Failure>,
) -> Option<Result<Arc<CompiledModule>, Failure>> {
    let entry = entry(key);
    let mut state = entry.wait(deadline)?;
    if let Some(module) = state.module.upgrade() {
        return Some(Ok(module));
    }
    state.compiling = true;
    drop(state);
    let made = make().map(Arc::new);
    let mut state = lock(&entry.state);
    state.compiling = false;
    if let Ok(module) = &made {
        state.module = Arc::downgrade(module);
    }
    drop(state);
    entry.compiled.notify_all();
    Some(made)
}

/// A module that is being compiled is not there yet.
pub fn has(key: Key) -> bool {
    let entry = lock(&ENTRIES).get(&key).cloned();
    entry.is_some_and(|entry| entry.has_module())
}

fn entry(key: Key) -> Arc<Entry> {
    let mut entries = lock(&ENTRIES);
    entries.retain(|_, entry| Arc::strong_count(entry) > 1 || entry.has_module());
    entries.entry(key).or_default().clone()
}

impl Entry {
    fn has_module(&self) -> bool {
        lock(&self.state).module.strong_count() > 0
    }

    /// Waits until no thread compiles the module.
    fn wait(&self, deadline: Option<Instant>) -> Option<MutexGuard<'_, State>> {
        let mut state = lock(&self.state);
        while state.compiling {
            state = wait_until(&self.compiled, state, deadline)?;
        }
        Some(state)
    }
}
