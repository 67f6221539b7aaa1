//! What a store has besides wasm: the kernel, WASI, limits, and the call that runs.

use std::sync::{Arc, Mutex};

use wasmtime::ResourceLimiter;

use crate::call::CallState;
use crate::error::{Code, Failure};
use crate::kernel::Kernel;
use crate::log::{Forwarder, Kind, Output, Passed};
use crate::mapping::MappingPermit;
use crate::plugin_spec::{Identity, Limits, PluginSpec};
use crate::sync::lock;
use crate::wasi::{Wasi, WasiView};

pub struct InstanceState {
    pub plugin: Arc<PluginSpec>,
    pub identity: Identity,
    pub kernel: Kernel,
    pub wasi: Wasi,
    pub limiter: Limiter,
    /// The call that runs.
    pub call: Arc<CallState>,
    /// The same, for what WASI prints.
    pub printing: Arc<Mutex<Printing>>,
    /// Messages of services that cannot wait, until one that can.
    pub notices: Vec<String>,
    /// For the mappings of the instances that calls of linked commands have made in this store: one
    /// each.
    pub commands: Vec<MappingPermit>,
}

impl InstanceState {
    pub fn block_pages(&self) -> Option<u32> {
        self.plugin.limits.block_pages
    }
}

impl WasiView for InstanceState {
    fn wasi(&mut self) -> &mut Wasi {
        &mut self.wasi
    }
}

/// Counts memories and tables from their initial size on.
pub struct Limiter {
    max_bytes: u64,
    bytes: u64,
    /// By how much the last memory grew, which the system may refuse.
    growing: u64,
    max_elements: u64,
    elements: u64,
    /// Bytes and elements that the instance has started with.
    initial: [u64; 2],
}

impl Limiter {
    pub fn new(limits: &Limits) -> Self {
        Self {
            max_bytes: u64::from(limits.pages) << 16,
            bytes: 0,
            growing: 0,
            max_elements: limits.table_elements.into(),
            elements: 0,
            initial: [0; 2],
        }
    }

    /// The instance is made.
    pub fn started(&mut self) {
        self.initial = [self.bytes, self.elements];
    }

    /// Whether less than half is left of what the instance could have beyond its start.
    pub fn is_half_full(&self) -> bool {
        let half = |now: u64, initial: u64, max: u64| now - initial > (max - initial) / 2;
        half(self.bytes, self.initial[0], self.max_bytes)
            || half(self.elements, self.initial[1], self.max_elements)
    }

    /// What all memories have together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let bytes = self
            .bytes
            .saturating_add((desired.saturating_sub(current)) as u64);
        if bytes > self.max_bytes {
            let failure = Failure::new(Code::OutOfMemory, "the plugin reached its memory limit");
            return Err(wasmtime::Error::new(failure));
        }
        self.growing = bytes - self.bytes;
        self.bytes = bytes;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.bytes = self.bytes.saturating_sub(std::mem::take(&mut self.growing));
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = self
            .elements
            .saturating_add((desired.saturating_sub(current)) as u64);
        if maximum.is_some_and(|maximum| desired > maximum) || elements > self.max_elements {
            return Ok(false);
        }
        self.elements = elements;
        Ok(true)
    }

    // There are as many as modules declare, which is limited where they are linked.
    fn instances(&self) -> usize {
        usize::MAX
    }

    fn tables(&self) -> usize {
        usize::MAX
    }

    fn memories(&self) -> usize {
        usize::MAX
    }
}

/// What the call that runs has logged and printed, which goes to the thread that made it.
#[derive(Default)]
pub struct Printing {
    pub call: Option<Arc<CallState>>,
    pub logs: Usage,
    prints: Usage,
}

/// How much of something a call has used, and how much it may.
#[derive(Default)]
pub struct Usage {
    bytes: u64,
    max: u64,
}

/// Whether a message may be passed on.
pub enum Share {
    Granted,
    /// It is the first one that may not.
    UsedUp,
    Denied,
}

impl Printing {
    /// A call begins that may log so many bytes, and print as many.
    pub fn begin(&mut self, call: Arc<CallState>, max: u64) {
        *self = Self {
            call: Some(call),
            logs: Usage { bytes: 0, max },
            prints: Usage { bytes: 0, max },
        };
    }
}

impl Usage {
    pub fn take(&mut self, bytes: usize) -> Share {
        let before = self.bytes;
        self.bytes = before.saturating_add(bytes as u64);
        match (self.bytes <= self.max, before <= self.max) {
            (true, _) => Share::Granted,
            (false, true) => Share::UsedUp,
            (false, false) => Share::Denied,
        }
    }

    fn give_back(&mut self, bytes: usize) {
        self.bytes -= bytes as u64;
    }
}

/// What WASI prints to.
pub struct Printer {
    pub forwarder: Arc<Forwarder>,
    pub current: Arc<Mutex<Printing>>,
}

impl Output for Printer {
    fn print(&self, is_error: bool, bytes: &[u8]) -> Passed {
        let mut current = lock(&self.current);
        let Some(call) = current.call.clone() else {
            return Passed::Never;
        };
        if !matches!(current.prints.take(bytes.len()), Share::Granted) {
            return Passed::Never;
        }
        let kind = match is_error {
            true => Kind::Stderr,
            false => Kind::Stdout,
        };
        let passed = self.forwarder.send(&call, kind, bytes);
        if passed != Passed::On {
            current.prints.give_back(bytes.len());
        }
        passed
    }
}
