//! The host functions in Rust, which work on a store.

use std::sync::Arc;

use wasmtime::Val;

use crate::error::{Code, Failure};
use crate::faults;
use crate::host_function::{Caller, RustFunction};
use crate::store::Store;

/// The host function that is known by this name. `missing`: what it gives for a key that is not
/// there, by the name of that.
pub fn find(name: &str, store: Arc<Store>, missing: Option<&str>) -> Option<Arc<dyn RustFunction>> {
    let missing = Missing::from_name(missing);
    match name {
        "memoryGet" => Some(Arc::new(MemoryGet { store, missing })),
        _ => None,
    }
}

/// Key in, value out.
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

impl Missing {
    fn from_name(name: Option<&str>) -> Self {
        match name {
            Some("error") => Self::Error,
            Some("empty") => Self::Empty,
            _ => Self::Absent,
        }
    }
}

impl RustFunction for MemoryGet {
    fn call(
        &self,
        caller: &mut Caller<'_>,
        inputs: &[Val],
        outputs: &mut [Val],
    ) -> Result<(), Failure> {
        faults::point("lookup");
        let key = caller.get::<&str>(inputs.first())?;
        let found = match (self.store.get(key), self.missing) {
            (Some(value), _) => caller.put(value.as_bytes())?,
            (None, Missing::Absent) => Val::I64(0),
            (None, Missing::Empty) => caller.put(&[][..])?,
            (None, Missing::Error) => {
                let message = format!("the store has no key \"{key}\"");
                return Err(Failure::new(Code::HostFunction, message));
            }
        };
        if let Some(output) = outputs.first_mut() {
            *output = found;
        }
        Ok(())
    }
}
