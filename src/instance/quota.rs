//! What a call has taken so far of what it may take.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::sync::lock;

pub struct Quota {
    /// What the blocks of guests may have together, in pages.
    block_pages: Option<u32>,
    log_bytes: u64,
    /// The blocks that the host has made for the running call, where that is limited.
    made: Mutex<Made>,
    /// What the running call has logged and printed, in bytes.
    logged: AtomicU64,
}

#[derive(Default)]
struct Made {
    /// Their sizes, by offset.
    blocks: HashMap<u64, u64>,
    bytes: u64,
}

impl Quota {
    pub fn new(block_pages: Option<u32>, log_bytes: u64) -> Self {
        Self {
            block_pages,
            log_bytes,
            made: Mutex::default(),
            logged: AtomicU64::new(0),
        }
    }

    /// A call begins that has taken nothing yet.
    pub fn begin(&self) {
        if self.block_pages.is_some() {
            *lock(&self.made) = Made::default();
        }
        self.logged.store(0, Relaxed);
    }

    /// Whether the host may make a block for the running call, or why not. The guard counts those,
    /// too, but only when a guest makes one.
    pub fn check(&self, bytes: u64) -> Result<(), String> {
        let total = lock(&self.made).bytes.saturating_add(bytes);
        self.exceeds(total).map_or(Ok(()), Err)
    }

    /// The host has made a block.
    pub fn made(&self, offset: u64, bytes: u64) {
        if self.block_pages.is_some() {
            let mut made = lock(&self.made);
            made.bytes += bytes;
            made.blocks.insert(offset, bytes);
        }
    }

    /// Somebody has given a block back.
    pub fn freed(&self, offset: u64) {
        let mut made = lock(&self.made);
        if let Some(bytes) = made.blocks.remove(&offset) {
            made.bytes -= bytes;
        }
    }

    /// Why blocks of so many bytes are more than there may be, if they are.
    pub fn exceeds(&self, bytes: u64) -> Option<String> {
        let max = self.block_pages?;
        let pages = bytes.div_ceil(1 << 16);
        let message = || format!("memory limit exceeded: {pages} pages requested, {max} allowed");
        (pages > u64::from(max)).then(message)
    }

    /// Counts what a guest logs or prints. Where that is too much, nothing further is to be
    /// passed on but what is said here, the first time.
    pub fn log(&self, bytes: u64) -> Result<(), Option<String>> {
        let before = self.logged.fetch_add(bytes, Relaxed);
        if before.saturating_add(bytes) <= self.log_bytes {
            return Ok(());
        }
        let max = self.log_bytes;
        let notice = || format!("a call may log {max} bytes (maxLogBytes), the rest is dropped");
        Err((before <= max).then(notice))
    }
}
