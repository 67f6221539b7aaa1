//! What the instances of one plugin have in common.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::compiled::CompiledModule;
use crate::engine::Engine;
use crate::instance::PluginLinker;
use crate::log::{Forwarder, Logger};
use crate::module::LinkedModule;
use crate::variables::{Scope, Variables};
use crate::wasi::WasiOptions;

/// Everything that an instance is made of.
pub struct PluginSpec {
    pub linked: Arc<LinkedModule>,
    /// The code of each unit of `linked`.
    pub code: Vec<Arc<CompiledModule>>,
    pub engine: &'static Engine,
    /// Its host functions, and what all plugins have.
    pub linker: PluginLinker,
    /// Whether it runs on workers only.
    pub off_thread: bool,
    pub logger: Arc<dyn Logger>,
    /// Where guests print, if what they print is printed.
    pub output: Option<Arc<Forwarder>>,
    pub config: BTreeMap<String, String>,
    pub wasi: WasiOptions,
    pub variables: Scope,
    pub limits: Limits,
    /// Whether a function that returns another number than 0 has failed.
    pub codes_are_errors: bool,
}

/// What an instance, and a call, may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What memories, blocks and collected objects may have together, in pages of 64 KiB.
    pub pages: u32,
    /// What the blocks of a call may have together, in pages of 64 KiB.
    pub block_pages: Option<u32>,
    /// What tables may have together.
    pub table_elements: u32,
    pub output_bytes: u64,
    /// What a call logs and prints.
    pub log_bytes: u64,
    /// What the values of variables may have together.
    pub var_bytes: u64,
    /// How many instructions a call may run, about.
    pub fuel: Option<u64>,
}

/// What an instance hands on to the one that takes its place.
#[derive(Clone)]
pub struct Identity {
    /// Distinguishes the instances of the process.
    pub id: u32,
    pub variables: Arc<Variables>,
}

impl PluginSpec {
    /// Of a new instance, or one that takes the place of another.
    pub fn identity(&self, inherited: Option<Identity>) -> Identity {
        static IDS: AtomicU32 = AtomicU32::new(0);
        let fresh = || Arc::new(Variables::new(self.limits.var_bytes));
        let new = |variables| Identity {
            id: IDS.fetch_add(1, Relaxed),
            variables,
        };
        match (&self.variables, inherited) {
            (Scope::Guest, Some(Identity { id, .. })) => Identity {
                id,
                variables: fresh(),
            },
            (_, Some(identity)) => identity,
            (Scope::Plugin(variables), None) => new(variables.clone()),
            (_, None) => new(fresh()),
        }
    }
}
