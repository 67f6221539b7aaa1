//! One running copy of a plugin: its own engine, so that stopping it stops nothing else.

mod budget;
mod build;
mod cache;
mod host;
mod quota;
mod services;
mod slot;
mod state;
mod trap;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use extism::{CompiledPlugin, Plugin};

use crate::call::{Call, Outcome};
use crate::error::{Code, Failure};
use crate::faults;
use crate::host_function::{Body, HostFunction};
use crate::log::{Logger, Output};
use crate::module::{self, Blueprint};
use crate::threads::panic_message;
use crate::variables::{Scope, Variables};
use crate::watchdog;

use budget::Share;
use build::{compile, instantiate};
pub use cache::Cache;
use quota::Quota;
use slot::End;
pub use slot::{Identity, Slot};
use trap::{failure, is_interrupt};

/// Everything that instances of one plugin have in common.
pub struct Recipe {
    pub blueprint: Blueprint,
    /// In the order of [`Blueprint::host_functions`].
    pub functions: Vec<HostFunction>,
    /// The bodies of `http_request`, `http_status_code` and `http_headers`.
    pub http: [Arc<dyn Body>; 3],
    pub logger: Arc<dyn Logger>,
    pub output: Arc<dyn Output>,
    pub config: BTreeMap<String, String>,
    pub wasi: bool,
    /// Directories of the host, `ro:` before those that may only be read, and where the guest
    /// finds them.
    pub allowed_paths: BTreeMap<String, PathBuf>,
    /// What the blocks of guests may have together, in pages.
    pub block_pages: Option<u32>,
    pub max_var_bytes: u64,
    pub variables: Scope,
    pub limits: Limits,
    /// How many instructions a call may run, about.
    pub fuel: Option<u64>,
    /// Whether a function that returns another number than 0 has failed.
    pub codes_are_errors: bool,
    /// Where compiled code is kept, if it is.
    pub cache: Option<Cache>,
}

/// What one call may take, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub output_bytes: u64,
    /// Of its thread's stack.
    pub stack_bytes: usize,
    /// What it logs and prints.
    pub log_bytes: u64,
}

impl Limits {
    /// Whether there may be an output of this length.
    pub fn output(&self, bytes: u64) -> Result<(), Failure> {
        if bytes <= self.output_bytes {
            return Ok(());
        }
        let max = self.output_bytes;
        let message = format!("the output has {bytes} bytes, of which {max} are allowed");
        Err(Failure::new(
            Code::OutOfMemory,
            message + " (memory.maxOutputBytes)",
        ))
    }
}

/// Where an instance gets its calls from.
pub trait Source: Send + Sync {
    /// Begins the next call in this slot. There is none when the instance is to let go of its
    /// thread.
    fn begin_next(&self, slot: &Slot) -> Begun;
    /// How long a call ran.
    fn ran(&self, duration: Duration);
    /// A call was stopped, and its guest does not end. The call fails with this, and the slot's
    /// instance is not there any longer.
    fn abandon(&self, slot: &Slot, call: Call, ran: Duration, failure: Failure);
}

pub struct Instance {
    recipe: Arc<Recipe>,
    compiled: CompiledPlugin,
    /// `None` where it could not be replaced.
    plugin: Option<Plugin>,
    _share: Share,
    slot: Arc<Slot>,
    source: Arc<dyn Source>,
    /// A stop is on its way to the engine that will find nothing to stop.
    haunted: bool,
}

/// What came of asking for the next call.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    Call,
    Nothing,
    /// The instance is being stopped.
    Refused,
}

/// Why an instance stopped serving.
#[derive(Debug)]
pub enum Ended {
    /// There was nothing more to do.
    Idle,
    /// Its guest cannot go on.
    Broken,
    /// It could not begin a call, for this reason.
    Failed(Failure),
}

impl Instance {
    /// Compiles and instantiates; no code of the guest runs yet. `inherited`: from an instance
    /// that it takes the place of.
    pub fn new(
        recipe: Arc<Recipe>,
        source: Arc<dyn Source>,
        inherited: Option<Identity>,
    ) -> Result<Self, Failure> {
        let identity = recipe.identity(inherited);
        let quota = Quota::new(recipe.block_pages, recipe.limits.log_bytes);
        let slot = Arc::new(Slot::new(identity, quota, source.clone()));
        let share = Share::of(&recipe.blueprint)?;
        let compiled = compile(&recipe, &slot, &source)?;
        let plugin = Some(instantiate(&compiled, &recipe, &slot)?);
        watchdog::watch(&(slot.clone() as Arc<_>))?;
        Ok(Self {
            recipe,
            compiled,
            plugin,
            _share: share,
            slot,
            source,
            haunted: false,
        })
    }

    pub fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// Replaces the guest by a fresh one, from the same compiled code if nothing more is to
    /// happen to its engine.
    pub fn renew(&mut self) -> Result<(), Failure> {
        // There may be no room for both.
        self.plugin = None;
        if std::mem::take(&mut self.haunted) {
            self.compiled = compile(&self.recipe, &self.slot, &self.source)?;
        }
        self.plugin = Some(instantiate(&self.compiled, &self.recipe, &self.slot)?);
        if matches!(self.recipe.variables, Scope::Guest) {
            self.slot.variables().clear();
        }
        Ok(())
    }

    /// Runs calls until the source has no more or the guest cannot go on. Each is settled.
    pub fn serve(&mut self) -> Ended {
        let Some(plugin) = &mut self.plugin else {
            return Ended::Broken;
        };
        let result = catch_unwind(AssertUnwindSafe(|| {
            plugin.call_get_error_code::<_, Vec<u8>>(module::SERVE, "")
        }));
        let initializers = self.recipe.blueprint.initializers;
        let End {
            call,
            reason,
            told,
            starting,
            begun,
        } = self.slot.end(initializers);
        let text = self.slot.take_error();
        let interrupted =
            text.is_none() && matches!(&result, Ok(Err((error, _))) if is_interrupt(error));
        self.haunted = told && !interrupted;
        let Some((call, ran)) = call else {
            return match result {
                Ok(Ok(_)) => Ended::Idle,
                _ if begun => Ended::Broken,
                Ok(Err((error, code))) => Ended::Failed(failure(&error, code)),
                Err(panic) => {
                    let message = panic_message(&*panic);
                    Ended::Failed(Failure::new(Code::Internal, message))
                }
            };
        };
        let outcome: Outcome = match (reason, result) {
            (Some(failure), _) => Err(failure),
            (None, Ok(Ok(_))) if starting => {
                Err(Failure::new(Code::Exit, "the plugin's start code exited").with_exit_code(0))
            }
            // It exited; the guard is gone, which knew whether there is an output.
            (None, Ok(Ok(output))) => {
                let allowed = self.recipe.limits.output(output.len() as u64);
                allowed.map(|()| (!output.is_empty()).then_some(output))
            }
            (None, Ok(Err((error, code)))) => {
                let failure = failure(&error, code);
                // Where a guest broke off after it had reported an error, that says more, unless
                // its face has no codes.
                let told = match failure.code {
                    Code::Exit => text,
                    Code::Trap if self.recipe.codes_are_errors => text,
                    _ => None,
                };
                let message = told.unwrap_or_else(|| failure.message.clone());
                Err(Failure { message, ..failure })
            }
            (None, Err(panic)) => Err(Failure::new(Code::Internal, panic_message(&*panic))),
        };
        self.recipe.settle(&*self.source, call, ran, outcome);
        Ended::Broken
    }

    /// Runs one call, and settles it.
    pub fn serve_one(&mut self, call: Call) -> Ended {
        self.slot.hold(call);
        self.serve()
    }
}

impl Recipe {
    fn identity(&self, inherited: Option<Identity>) -> Identity {
        let fresh = || Arc::new(Variables::new(self.max_var_bytes));
        match (&self.variables, inherited) {
            (Scope::Guest, Some(Identity { id, .. })) => Identity {
                id,
                variables: fresh(),
            },
            (_, Some(identity)) => identity,
            (Scope::Plugin(variables), None) => Identity::new(variables.clone()),
            (_, None) => Identity::new(fresh()),
        }
    }

    pub fn settle(&self, source: &dyn Source, call: Call, ran: Duration, outcome: Outcome) {
        faults::point("settle");
        source.ran(ran);
        let name = self.blueprint.functions.get(call.function);
        call.settle(outcome.map_err(|failure| match name {
            Some(name) => failure.in_function(name),
            None => failure,
        }));
    }
}
