//! What a store holds under a key.

use std::sync::Arc;

/// A value that remembers whether it was put in as text or as bytes. A clone shares the contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
}

impl Value {
    /// The contents as a plugin reads them: text is UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}
