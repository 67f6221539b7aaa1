//! WASI preview 1 for guests: `wasmtime-wasi`, with bounds on what one host call may do.

mod files;
mod functions;
mod output;
mod transfers;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::error::{Code, Failure};
use crate::log::Output;
use output::Destination;

pub use functions::add_to_linker;

/// How many bytes of a guest's memory `wasmtime-wasi` may copy in one host call: paths, lists of
/// buffers and subscriptions, and one piece of a file. The creator of a store passes this to
/// `Store::set_hostcall_fuel`. The default of 128 MiB would hold the thread too long.
pub const HOSTCALL_FUEL: usize = transfers::PIECE + (256 << 10);

/// The WASI state of an instance.
pub struct Wasi {
    ctx: WasiP1Ctx,
    /// Descriptors of files and directories that the guest has opened. Standard streams and allowed
    /// directories are not among them.
    opened: BTreeSet<u32>,
    /// How many bytes the guest has printed.
    printed: Arc<AtomicU64>,
}

#[derive(Clone, Default)]
pub struct WasiOptions {
    /// Pairs of a host directory and its path in the guest. The prefix "ro:" makes the directory
    /// read-only.
    pub allowed_paths: Vec<(String, String)>,
    /// Whether standard output and standard error are terminals.
    pub terminal: [bool; 2],
    /// Receives what guests print. Without one, output is accepted and discarded.
    pub output: Option<Arc<dyn Output>>,
}

/// The data of a store whose guest has WASI.
pub trait WasiView: Send + 'static {
    fn wasi(&mut self) -> &mut Wasi;
}

impl Wasi {
    /// Opens the allowed directories. This is a file operation: keep it off the event loop.
    pub fn new(options: &WasiOptions) -> Result<Self, Failure> {
        let printed = Arc::new(AtomicU64::new(0));
        let destination = |is_error: bool| Destination {
            output: options.output.clone(),
            is_error,
            is_terminal: options.terminal[usize::from(is_error)],
            printed: printed.clone(),
        };
        let mut builder = WasiCtxBuilder::new();
        builder.stdout(destination(false)).stderr(destination(true));
        for (host, guest) in &options.allowed_paths {
            let (path, permissions) = match host.strip_prefix("ro:") {
                Some(path) => (path, FsPerms::ReadOnly),
                None => (host.as_str(), FsPerms::ReadWrite),
            };
            builder
                .preopened_dir(path, guest, permissions)
                .map_err(|error| unusable(host, path, &error))?;
        }
        Ok(Self {
            ctx: builder.build_p1(),
            opened: BTreeSet::new(),
            printed,
        })
    }

    fn printed(&self) -> u64 {
        self.printed.load(Relaxed)
    }
}

fn unusable(allowed: &str, path: &str, error: &wasmtime::Error) -> Failure {
    let why = match Path::new(path).is_dir() {
        true => "cannot be opened",
        false => "is not a directory",
    };
    let message = format!(
        "the plugin cannot be instantiated: the allowed path \"{allowed}\" {why}: {error:#}"
    );
    Failure::new(Code::Instance, message)
}

/// The error that `proc_exit` raises, with any code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub i32);

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plugin exited with {}", self.0)
    }
}

impl std::error::Error for Exit {}
