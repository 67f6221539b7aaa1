//! The interfaces of the modules that there are in the process: the same bytes are read once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

use super::read::Interface;
use crate::sync::lock;

static KNOWN: Mutex<BTreeMap<[u8; 32], Weak<Interface>>> = Mutex::new(BTreeMap::new());

/// The interface of the module with this digest. Threads do not wait for each other.
pub fn get_or_read(
    digest: &[u8; 32],
    read: impl FnOnce() -> Result<Interface, String>,
) -> Result<Arc<Interface>, String> {
    if let Some(interface) = lock(&KNOWN).get(digest).and_then(Weak::upgrade) {
        return Ok(interface);
    }
    let interface = Arc::new(read()?);
    let mut known = lock(&KNOWN);
    known.retain(|_, interface| interface.strong_count() > 0);
    known.insert(*digest, Arc::downgrade(&interface));
    Ok(interface)
}
