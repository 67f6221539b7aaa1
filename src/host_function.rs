//! What a guest can call in the host.

use std::sync::Arc;

use extism::convert::MemoryHandle;
use extism::{CurrentPlugin, Val};

use crate::error::{Code, Failure};
use crate::instance::Slot;
use crate::module::{Signature, Types};
use crate::store::Value;

/// A function for guests. `namespace: None` offers it where guests of either era look.
#[derive(Clone)]
pub struct HostFunction {
    pub namespace: Option<String>,
    pub name: String,
    /// `None`: those of whoever imports it.
    pub types: Option<Types>,
    pub body: Arc<dyn Body>,
}

impl HostFunction {
    pub fn signature(&self) -> Signature {
        Signature {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            types: self.types.clone(),
            lookup: self.body.is_lookup(),
        }
    }
}

/// The kernel's sums wrap for sizes near 2^32; nothing that large can be had anyway.
const MAX_BLOCK_BYTES: u64 = 0xfff0_0000;

/// What a host function does. It runs on the guest's thread and may block it.
pub trait Body: Send + Sync {
    /// A failure ends the guest's call with that failure.
    fn call(
        &self,
        guest: &mut Guest<'_>,
        inputs: &[Val],
        outputs: &mut [Val],
    ) -> Result<(), Failure>;

    /// Whether it takes a key and gives a value, and the guard does the rest: it measures the
    /// key, and makes a block for the value, without leaving the guest's world. The inputs are
    /// the key's offset and length then, the output is the length of the value that was
    /// [handed over](Guest::hand_over), or -1 for none.
    fn is_lookup(&self) -> bool {
        false
    }

    /// Whether it can only answer while the JavaScript side is there.
    fn needs_javascript(&self) -> bool {
        false
    }
}

/// The guest that called, while it waits.
pub struct Guest<'a> {
    plugin: &'a mut CurrentPlugin,
    pub slot: &'a Slot,
}

impl<'a> Guest<'a> {
    pub fn new(plugin: &'a mut CurrentPlugin, slot: &'a Slot) -> Self {
        Self { plugin, slot }
    }

    /// The length of the block that starts at `offset`, or `None` where none does.
    pub fn length(&mut self, offset: u64) -> Option<u64> {
        match self.plugin.memory_length(offset) {
            Ok(0) | Err(_) => None,
            Ok(length) => Some(length),
        }
    }

    /// The bytes of the block that starts at `offset`. The guard keeps headers true, so a
    /// length that the kernel reports lies inside its memory.
    pub fn read(&mut self, offset: u64) -> Option<&[u8]> {
        let handle = self.plugin.memory_handle(offset).filter(|_| offset != 0)?;
        self.plugin.memory_bytes(handle).ok()
    }

    /// Replaces the first bytes of a block, if there is one; what does not fit is refused.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Failure> {
        let handle = self.plugin.memory_handle(offset).filter(|_| offset != 0);
        let Some(handle) = handle else {
            return Ok(());
        };
        let block = self.plugin.memory_bytes_mut(handle);
        let block = block.map_err(unreachable_memory)?;
        let length = block.len();
        let Some(target) = block.get_mut(..bytes.len()) else {
            let bytes = bytes.len();
            let message = format!("{bytes} bytes do not fit the block of {length} at {offset}");
            return Err(Failure::new(Code::Memory, message));
        };
        target.copy_from_slice(bytes);
        Ok(())
    }

    /// A new block: its offset, 0 for a length of 0.
    pub fn alloc(&mut self, length: u64) -> Result<u64, Failure> {
        if length > MAX_BLOCK_BYTES {
            let message = format!("a block of {length} bytes is more than there can be");
            return Err(Failure::new(Code::OutOfMemory, message));
        }
        if let Err(message) = self.slot.quota().check(length) {
            return Err(Failure::new(Code::OutOfMemory, message));
        }
        let handle = self.plugin.memory_alloc(length).map_err(|error| {
            let message = format!(
                "no block of {length} bytes to be had: {}",
                error.root_cause()
            );
            Failure::new(Code::OutOfMemory, message)
        })?;
        self.slot.quota().made(handle.offset(), length);
        Ok(handle.offset())
    }

    /// A new block with these bytes.
    pub fn store(&mut self, bytes: &[u8]) -> Result<u64, Failure> {
        if bytes.is_empty() {
            return self.store_nothing();
        }
        let offset = self.alloc(bytes.len() as u64)?;
        self.range(offset, bytes.len() as u64)?
            .copy_from_slice(bytes);
        Ok(offset)
    }

    /// A block of length 0. The kernel makes none, and guests take the offset 0 for nothing at
    /// all: so it is a block of which no byte is in use. That count is in front of the data.
    fn store_nothing(&mut self) -> Result<u64, Failure> {
        let offset = self.alloc(1)?;
        let used = 0u32.to_le_bytes();
        let count = self.range(offset - used.len() as u64, used.len() as u64)?;
        count.copy_from_slice(&used);
        Ok(offset)
    }

    /// Gives a block back; anything that is not one is left alone.
    pub fn free(&mut self, offset: u64) {
        if let Some(handle) = self.plugin.memory_handle(offset) {
            self.slot.quota().freed(offset);
            // The kernel's own walk over its blocks; there is nothing to be done if it fails.
            let _ = self.plugin.memory_free(handle);
        }
    }

    /// Leaves a value for the guard to fetch.
    pub fn hand_over(&mut self, value: Value) {
        self.slot.hand_over(value);
    }

    /// The bytes of a range that the guard has checked: it lies inside one live block.
    pub(crate) fn range(&mut self, offset: u64, length: u64) -> Result<&mut [u8], Failure> {
        let handle = MemoryHandle { offset, length };
        self.plugin
            .memory_bytes_mut(handle)
            .map_err(unreachable_memory)
    }
}

fn unreachable_memory(error: extism::Error) -> Failure {
    Failure::new(Code::Internal, error.to_string())
}
