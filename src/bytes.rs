//! Copies of what others have, however much that is.

use crate::error::{Code, Failure};

/// A copy; where there is no memory for it, a failure, and not the end of the process.
pub fn copy(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).map_err(|_| {
        let message = format!("no memory for a copy of {} bytes", bytes.len());
        Failure::new(Code::OutOfMemory, message)
    })?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}
