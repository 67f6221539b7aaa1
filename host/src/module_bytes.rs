//! The bytes of modules, which compiled code is known by.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use sha2::{Digest, Sha256};

use crate::bytes;
use crate::error::Failure;
use crate::sync::lock;

/// With how many modules of the same length given bytes are compared. Comparing is far faster than
/// a digest, but for many modules of one length that begin alike.
const MAX_CANDIDATES: usize = 4;

/// The modules whose bytes somebody has, by their length, the newest last.
static KNOWN: Mutex<BTreeMap<usize, Vec<Weak<Content>>>> = Mutex::new(BTreeMap::new());

/// The bytes of a module in either form. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct ModuleBytes(Arc<Content>);

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    digest: OnceLock<[u8; 32]>,
}

impl ModuleBytes {
    pub fn new(bytes: Vec<u8>) -> Self {
        let digest = OnceLock::new();
        Self(Arc::new(Content { bytes, digest }))
    }

    /// Those that the process has of the same content, or else a copy.
    pub fn of(bytes: &[u8]) -> Result<Self, Failure> {
        let candidates = lock(&KNOWN).get(&bytes.len()).cloned().unwrap_or_default();
        let candidates = candidates.iter().rev().take(MAX_CANDIDATES);
        let mut candidates = candidates.filter_map(Weak::upgrade);
        if let Some(content) = candidates.find(|content| content.bytes == bytes) {
            return Ok(Self(content));
        }
        let copy = Self::new(bytes::copy(bytes)?);
        let mut known = lock(&KNOWN);
        known.retain(|_, contents| {
            contents.retain(|content| content.strong_count() > 0);
            !contents.is_empty()
        });
        let same_length = known.entry(bytes.len()).or_default();
        same_length.push(Arc::downgrade(&copy.0));
        Ok(copy)
    }

    /// Whether others have them, too.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Computed when it is first asked for.
    pub fn digest(&self) -> &[u8; 32] {
        let digest = || Sha256::digest(&self.0.bytes).into();
        self.0.digest.get_or_init(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::ModuleBytes;

    #[test]
    fn the_same_content_is_there_once() {
        let first = ModuleBytes::of(b"a module of this test").unwrap();
        let second = ModuleBytes::of(b"a module of this test").unwrap();
        let other = ModuleBytes::of(b"a module of that test").unwrap();
        assert_eq!(first.bytes().as_ptr(), second.bytes().as_ptr());
        assert!(first.is_shared() && !other.is_shared());
        assert_eq!(other.bytes(), b"a module of that test");
        assert_ne!(first.digest(), other.digest());
    }

    #[test]
    fn content_that_nobody_has_is_copied_again() {
        drop(ModuleBytes::of(b"for a moment").unwrap());
        assert_eq!(
            ModuleBytes::of(b"for a moment").unwrap().bytes(),
            b"for a moment"
        );
    }
}
