//! The host function that reads a store: key in, value out, on the guest's own thread.

use std::sync::Arc;

use extism::Val;

use crate::error::{Code, Failure};
use crate::faults;
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
    fn is_lookup(&self) -> bool {
        true
    }

    fn call(
        &self,
        guest: &mut Guest<'_>,
        inputs: &[Val],
        outputs: &mut [Val],
    ) -> Result<(), Failure> {
        faults::point("lookup");
        let number = |index: usize| inputs.get(index).and_then(Val::i64).unwrap_or_default() as u64;
        let (offset, length) = (number(0), number(1));
        if length == 0 {
            let message = format!("the key at {offset} is not a block of the plugin's");
            return Err(Failure::new(Code::HostFunction, message));
        }
        let key = std::str::from_utf8(guest.range(offset, length)?).map_err(|error| {
            let message = format!("the key at {offset} is not UTF-8: {error}");
            Failure::new(Code::HostFunction, message)
        })?;
        let found = match (self.store.get(key), self.missing) {
            (Some(value), _) => {
                let length = value.as_bytes().len();
                guest.hand_over(value);
                length as i64
            }
            (None, Missing::Absent) => -1,
            (None, Missing::Empty) => 0,
            (None, Missing::Error) => {
                let message = format!("the store has no key \"{key}\"");
                return Err(Failure::new(Code::HostFunction, message));
            }
        };
        if let Some(output) = outputs.first_mut() {
            *output = Val::I64(found);
        }
        Ok(())
    }
}
