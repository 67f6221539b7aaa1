//! One running copy of a plugin: a store, and what runs in it.

mod entry;
mod epoch;
mod link;
mod report;
mod state;
mod trap;

use std::sync::{Arc, Mutex};

use wasmtime::Store;

use crate::call::{CallState, Outcome};
use crate::error::{Code, Failure};
use crate::faults;
use crate::kernel;
use crate::mapping::{MappingPermit, instance_mappings};
use crate::plugin_spec::{Identity, PluginSpec};
use crate::sync::lock;
use crate::wasi::{HOSTCALL_FUEL, Wasi, WasiOptions};

use entry::Entry;
pub use link::{PluginLinker, prepare};
pub use report::report;
pub use state::InstanceState;
use state::{Limiter, Printer, Printing};

/// Calls of linked commands make an instance each, which the store keeps: beyond so many, or half
/// of what an instance may have, the instance is replaced.
const MAX_COMMANDS: usize = 1000;

pub struct Instance {
    store: Store<InstanceState>,
    main: wasmtime::Instance,
    /// The functions that were called, by their position.
    entries: Vec<Option<Entry>>,
    /// Whether it can take another call.
    usable: bool,
    _permit: MappingPermit,
}

impl Instance {
    /// Instantiates the modules, and runs their start code as a part of this call.
    pub async fn new(
        plugin: Arc<PluginSpec>,
        identity: Identity,
        call: Arc<CallState>,
    ) -> Result<Self, Failure> {
        faults::point("instantiate");
        let permit = MappingPermit::acquire(instance_mappings(plugin.linked.memories))?;
        let printing = Arc::new(Mutex::<Printing>::default());
        let mut store = Store::new(
            &plugin.engine.wasmtime,
            InstanceState {
                identity,
                kernel: Default::default(),
                wasi: wasi(&plugin, &printing)?,
                limiter: Limiter::new(&plugin.limits),
                call,
                printing,
                notices: Vec::new(),
                commands: Vec::new(),
                plugin: plugin.clone(),
            },
        );
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(HOSTCALL_FUEL);
        store.epoch_deadline_callback(epoch::ended);
        begin(&mut store)?;
        let main = link::instantiate(&mut store, &plugin).await?;
        store.data_mut().limiter.started();
        Ok(Self {
            store,
            main,
            entries: plugin.linked.entry_points.iter().map(|_| None).collect(),
            usable: true,
            _permit: permit,
        })
    }

    pub fn identity(&self) -> &Identity {
        &self.store.data().identity
    }

    pub fn is_usable(&self) -> bool {
        let state = self.store.data();
        let is_crowded = match state.commands.len() {
            0 => false,
            count => count >= MAX_COMMANDS || state.limiter.is_half_full(),
        };
        self.usable && !is_crowded
    }

    /// What its memories have together, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.store.data().limiter.bytes()
    }

    /// Runs a call.
    pub async fn call(&mut self, call: Arc<CallState>, function: usize, input: Vec<u8>) -> Outcome {
        // Until the end is known to be an ordinary one.
        self.usable = false;
        // A call that the instance was made for has begun with the start code.
        if !Arc::ptr_eq(&self.store.data().call, &call) {
            self.store.data_mut().call = call;
            begin(&mut self.store)?;
        }
        if let Err(failure) = kernel::begin(&mut self.store, &input) {
            self.usable = true;
            return Err(failure);
        }
        drop(input);
        let result = self.enter(function).await;
        faults::point("done");
        let outcome = self.outcome(function, result);
        report::flush(&mut self.store).await?;
        outcome
    }

    async fn enter(&mut self, function: usize) -> wasmtime::Result<i32> {
        let plugin = self.store.data().plugin.clone();
        let entry = match self.entries.get(function) {
            Some(Some(entry)) => entry.clone(),
            _ => {
                let entry = Entry::of(&mut self.store, &self.main, &plugin, function)?;
                if let Some(place) = self.entries.get_mut(function) {
                    *place = Some(entry.clone());
                }
                entry
            }
        };
        entry.call(&mut self.store).await
    }

    /// What a call ends with whose function has returned, or broken off.
    fn outcome(&mut self, function: usize, result: wasmtime::Result<i32>) -> Outcome {
        let plugin = self.store.data().plugin.clone();
        let reported = self.store.data_mut().kernel.take_error();
        let code = match result {
            Ok(code) => code,
            Err(error) => {
                if let Some(failure) = self.store.data().call.stop_reason() {
                    return Err(failure);
                }
                let failure = trap::failure(&error);
                // Where a guest broke off after it had reported an error, that says more, unless
                // its API has no codes.
                return match (failure.code, failure.exit_code, reported) {
                    (Code::Exit, Some(0), Some(text)) => {
                        Err(Failure::new(Code::Guest, text).with_exit_code(0))
                    }
                    (Code::Exit, Some(0), None) => self.output(),
                    (Code::Exit, _, Some(text)) => Err(Failure {
                        message: text,
                        ..failure
                    }),
                    (Code::Trap, _, Some(text)) if plugin.codes_are_errors => Err(Failure {
                        message: text,
                        ..failure
                    }),
                    _ => Err(failure),
                };
            }
        };
        self.usable = !plugin.linked.commands.contains(&function);
        match reported {
            Some(text) => Err(Failure::new(Code::Guest, text).with_exit_code(code)),
            None if code != 0 && plugin.codes_are_errors => {
                let message = format!("the plugin returned {code}");
                Err(Failure::new(Code::Exit, message).with_exit_code(code))
            }
            None => self.output(),
        }
    }

    fn output(&mut self) -> Outcome {
        let state = self.store.data();
        let length = state.kernel.output().map_or(0, |(_, length)| length);
        let max = state.plugin.limits.output_bytes;
        if length > max {
            let message = format!("the output has {length} bytes, of which {max} are allowed");
            let message = message + " (memory.maxOutputBytes)";
            return Err(Failure::new(Code::OutOfMemory, message));
        }
        kernel::take_output(&mut self.store)
    }
}

/// Starts what is counted for each call anew.
fn begin(store: &mut Store<InstanceState>) -> Result<(), Failure> {
    let fuel = store.data().plugin.limits.fuel;
    if let Some(fuel) = fuel {
        let set = store.set_fuel(fuel);
        set.map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    }
    store.set_epoch_deadline(1);
    let state = store.data();
    lock(&state.printing).begin(state.call.clone(), state.plugin.limits.log_bytes);
    Ok(())
}

fn wasi(plugin: &PluginSpec, printing: &Arc<Mutex<Printing>>) -> Result<Wasi, Failure> {
    let output = plugin.output.clone().map(|forwarder| {
        let current = printing.clone();
        Arc::new(Printer { forwarder, current }) as Arc<_>
    });
    Wasi::new(&WasiOptions {
        output,
        ..plugin.wasi.clone()
    })
}
