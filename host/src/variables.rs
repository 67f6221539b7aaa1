//! What guests keep from one call to the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::bytes;
use crate::store::Value;
use crate::sync::lock;

/// How much the names may take, beside the values. Nobody sets it: it is more than any plugin
/// needs, and less than what harms the process.
pub const MAX_NAME_BYTES: u64 = 16 << 20;

/// What a variable takes beside its name and its value.
const ENTRY_BYTES: u64 = 128;

/// Whose variables are whose, and for how long.
pub enum Scope {
    /// Each instance has its own, until its guest breaks off.
    Guest,
    /// Each instance has its own.
    Instance,
    /// All instances have the same.
    Plugin(Arc<Variables>),
}

/// The variables of one instance, or of all instances of one plugin.
pub struct Variables {
    /// What the values may have together, in bytes.
    max_bytes: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    values: HashMap<Vec<u8>, Value>,
    name_bytes: u64,
    value_bytes: u64,
}

impl Variables {
    pub fn new(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            state: Mutex::default(),
        }
    }

    pub fn get(&self, name: &[u8]) -> Option<Value> {
        lock(&self.state).values.get(name).cloned()
    }

    /// Sets a variable, or says why not; what is there stays then.
    pub fn set(&self, name: &[u8], value: &[u8]) -> Result<(), String> {
        let mut state = lock(&self.state);
        let (old_name, old_value) = state.size(name);
        let values = state.value_bytes - old_value + value.len() as u64;
        let names = state.name_bytes - old_name + name.len() as u64 + ENTRY_BYTES;
        if values > self.max_bytes {
            let max = self.max_bytes;
            return Err(format!(
                "var memory limit exceeded: {values} bytes requested, {max} allowed"
            ));
        }
        if names > MAX_NAME_BYTES {
            return Err(format!(
                "var memory limit exceeded: {names} bytes requested for names, {MAX_NAME_BYTES} allowed"
            ));
        }
        let entry = bytes::copy(name).and_then(|name| Ok((name, bytes::value(value)?)));
        let (name, value) = entry.map_err(|failure| failure.message)?;
        state.values.insert(name, value);
        (state.name_bytes, state.value_bytes) = (names, values);
        Ok(())
    }

    pub fn clear(&self) {
        *lock(&self.state) = State::default();
    }

    pub fn remove(&self, name: &[u8]) {
        let mut state = lock(&self.state);
        let (name_bytes, value_bytes) = state.size(name);
        state.values.remove(name);
        state.name_bytes -= name_bytes;
        state.value_bytes -= value_bytes;
    }
}

impl State {
    /// What a variable takes, name and value.
    fn size(&self, name: &[u8]) -> (u64, u64) {
        let found = self.values.get(name);
        found.map_or((0, 0), |value| {
            let name = name.len() as u64 + ENTRY_BYTES;
            (name, value.as_bytes().len() as u64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Variables;

    #[test]
    fn a_limit_counts_the_values_that_are_there() {
        let variables = Variables::new(10);
        assert_eq!(variables.set(b"a", b"123456"), Ok(()));
        assert_eq!(
            variables.set(b"b", b"12345"),
            Err("var memory limit exceeded: 11 bytes requested, 10 allowed".to_owned())
        );
        assert!(variables.get(b"b").is_none());
        // Another value in place of the first.
        assert_eq!(variables.set(b"a", b"1234567890"), Ok(()));
        assert!(variables.set(b"a", b"12345678901").is_err());
        assert_eq!(variables.get(b"a").unwrap().as_bytes(), b"1234567890");
        variables.remove(b"a");
        variables.remove(b"a");
        assert_eq!(variables.set(b"b", b"1234567890"), Ok(()));
        variables.clear();
        assert!(variables.get(b"b").is_none());
        assert_eq!(variables.set(b"c", b"1234567890"), Ok(()));
    }

    #[test]
    fn names_are_limited_too() {
        let variables = Variables::new(u64::MAX);
        let name = |i: u8| vec![i; 1 << 20];
        for i in 0..15 {
            assert_eq!(variables.set(&name(i), b""), Ok(()));
        }
        assert!(variables.set(&name(16), b"").is_err());
        assert_eq!(variables.set(&name(14), b"x"), Ok(()));
        variables.remove(&name(3));
        assert_eq!(variables.set(&name(16), b""), Ok(()));
    }
}
