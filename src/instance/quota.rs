//! What a call has taken so far of what it may take.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub struct Quota {
    /// What the blocks of guests may have together, in pages.
    block_pages: Option<u32>,
    log_bytes: u64,
    /// What the host has made for the running call, in bytes.
    reserved: AtomicU64,
    /// What the running call has logged and printed, in bytes.
    logged: AtomicU64,
}

impl Quota {
    pub fn new(block_pages: Option<u32>, log_bytes: u64) -> Self {
        Self {
            block_pages,
            log_bytes,
            reserved: AtomicU64::new(0),
            logged: AtomicU64::new(0),
        }
    }

    /// A call begins that has taken nothing yet.
    pub fn begin(&self) {
        self.reserved.store(0, Relaxed);
        self.logged.store(0, Relaxed);
    }

    /// Counts a block that the host makes for the running call, or says why there can be none.
    /// The guard counts those, too, but only when a guest makes one.
    pub fn reserve(&self, bytes: u64) -> Result<(), String> {
        let total = self.reserved.load(Relaxed).saturating_add(bytes);
        match self.exceeds(total) {
            Some(message) => Err(message),
            None => {
                self.reserved.store(total, Relaxed);
                Ok(())
            }
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
