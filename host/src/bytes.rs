//! Copies of what others have, however much that is.

use crate::error::{Code, Failure};
use crate::store::Value;

/// A copy; where there is no memory for it, a failure, and not the end of the process.
pub fn copy(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut copy = reserve(bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// The same for a value, which cannot be made in memory that is already there: the next moment
/// has as much of it.
pub fn value(bytes: &[u8]) -> Result<Value, Failure> {
    drop(reserve(bytes.len())?);
    Ok(Value::from(bytes))
}

fn reserve(length: usize) -> Result<Vec<u8>, Failure> {
    let mut room = Vec::new();
    room.try_reserve_exact(length).map_err(|_| {
        let message = format!("no memory for a copy of {length} bytes");
        Failure::new(Code::OutOfMemory, message)
    })?;
    Ok(room)
}
