//! The host function that reads a store: key in, value out, on the guest's own thread.

use std::sync::Arc;

use extism::Val;

use crate::error::{Code, Failure};
use crate::host_function::{Body, Guest};
use crate::store::Store;

pub struct MemoryGet {
    pub store: Arc<Store>,
    pub missing: Missing,
}

/// What a guest gets for a key that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Offset 0.
    Absent,
    /// A failed call.
    Error,
    /// An empty block.
    Empty,
}

impl Body for MemoryGet {
    fn call(
        &self,
        guest: &mut Guest<'_>,
        inputs: &[Val],
        outputs: &mut [Val],
    ) -> Result<(), Failure> {
        let offset = inputs.first().and_then(Val::i64).unwrap_or_default() as u64;
        let Some(bytes) = guest.read(offset) else {
            let message = format!("the key at {offset} is not a block of the plugin's");
            return Err(Failure::new(Code::HostFunction, message));
        };
        let key = std::str::from_utf8(bytes).map_err(|error| {
            let message = format!("the key at {offset} is not UTF-8: {error}");
            Failure::new(Code::HostFunction, message)
        })?;
        let value = self.store.get(key);
        let offset = match (value, self.missing) {
            (Some(value), _) => guest.store(value.as_bytes())?,
            (None, Missing::Absent) => 0,
            (None, Missing::Empty) => guest.store(b"")?,
            (None, Missing::Error) => {
                let message = format!("the store has no key \"{key}\"");
                return Err(Failure::new(Code::HostFunction, message));
            }
        };
        if let Some(output) = outputs.first_mut() {
            *output = Val::I64(offset as i64);
        }
        Ok(())
    }
}
