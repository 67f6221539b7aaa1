//! The bytes of a module, which compiled code is known by.

use std::sync::Arc;

use sha2::{Digest, Sha256};

/// The bytes of a module in binary form, and their digest, which is computed once.
#[derive(Clone, Debug, Default)]
pub struct ModuleBytes {
    bytes: Arc<Vec<u8>>,
    digest: [u8; 32],
}

impl ModuleBytes {
    pub fn new(bytes: Vec<u8>) -> Self {
        let digest = Sha256::digest(&bytes).into();
        let bytes = Arc::new(bytes);
        Self { bytes, digest }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}
