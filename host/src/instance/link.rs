//! How the modules of a plugin become instances of one store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use wasmtime::{Extern, Func, FuncType, Instance, InstancePre, Linker, Module, Ref, Store};

use super::entry::Entry;
use super::{InstanceState, trap};
use crate::engine::{Engine, EngineClass};
use crate::error::{Code, Failure};
use crate::host_function::HostFunction;
use crate::kernel::{self, Kernel};
use crate::mapping::{MappingPermit, memory_mappings};
use crate::module::{ENV, LEGACY, LEGACY_PREFIX, Source, Types, WASI};
use crate::plugin_spec::PluginSpec;
use crate::sync::lock;
use crate::threads;
use crate::wasi;

/// What all plugins of an engine have in common: services, WASI and the kernel's code.
struct Common {
    linker: Linker<InstanceState>,
    kernel: InstancePre<InstanceState>,
}

/// Its lock is held while they are made.
static KNOWN: Mutex<Option<HashMap<EngineClass, Arc<Common>>>> = Mutex::new(None);

fn common(engine: &'static Engine) -> Result<Arc<Common>, Failure> {
    let mut known = lock(&KNOWN);
    let known = known.get_or_insert_default();
    if let Some(common) = known.get(&engine.class) {
        return Ok(common.clone());
    }
    let internal = |error: wasmtime::Error| Failure::new(Code::Internal, format!("{error:#}"));
    let mut linker = Linker::new(&engine.wasmtime);
    kernel::add_to_linker(&mut linker).map_err(internal)?;
    wasi::add_to_linker(&mut linker)?;
    let text = wat::parse_str(kernel::KERNEL)
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    let code = Module::new(&engine.wasmtime, text).map_err(internal)?;
    let kernel = linker.instantiate_pre(&code).map_err(internal)?;
    let common = Arc::new(Common { linker, kernel });
    known.insert(engine.class, common.clone());
    Ok(common)
}

/// Makes that ahead on another thread, while modules are read.
pub fn prepare(engine: &'static Engine) {
    let is_there = match KNOWN.try_lock() {
        Ok(known) => known
            .as_ref()
            .is_some_and(|known| known.contains_key(&engine.class)),
        // It is being made.
        Err(_) => true,
    };
    if !is_there {
        // Whoever needs it tries again, and is told what is wrong.
        let _ = threads::spawn_blocking(move || drop(common(engine)));
    }
}

const FUNCTION: &str = "function";
const HTTP: [&str; 3] = ["http_request", "http_status_code", "http_headers"];

/// The host functions of one plugin, and what it shares with others.
pub struct PluginLinker {
    common: Arc<Common>,
    own: Linker<InstanceState>,
}

impl PluginLinker {
    /// `functions`: in the order of [`LinkedModule::host_functions`](crate::module::LinkedModule).
    pub fn new(
        engine: &'static Engine,
        functions: &[HostFunction],
        http: &[HostFunction; 3],
    ) -> Result<Self, Failure> {
        let internal = |error: wasmtime::Error| Failure::new(Code::Internal, format!("{error:#}"));
        let mut own = Linker::new(&engine.wasmtime);
        for (number, function) in functions.iter().enumerate() {
            function
                .add_to_linker(&mut own, FUNCTION, &number.to_string(), false)
                .map_err(internal)?;
        }
        for (function, name) in http.iter().zip(HTTP) {
            function
                .add_to_linker(&mut own, ENV, name, name == "http_request")
                .map_err(internal)?;
        }
        Ok(Self {
            common: common(engine)?,
            own,
        })
    }
}

/// Instantiates everything, and runs start code: the instance of the main module.
pub async fn instantiate(
    store: &mut Store<InstanceState>,
    plugin: &Arc<PluginSpec>,
) -> Result<Instance, Failure> {
    let internal = |error: wasmtime::Error| match error.downcast_ref::<Failure>() {
        Some(failure) => failure.clone(),
        None => Failure::new(
            Code::Instance,
            format!("the plugin cannot be instantiated: {error:#}"),
        ),
    };
    let kernel = plugin.linker.common.kernel.instantiate_async(&mut *store);
    let kernel = kernel.await.map_err(internal)?;
    Kernel::set_instance(store, &kernel);
    kernel::begin(store, &[])?;
    let mut instances = Instances {
        plugin: plugin.clone(),
        kernel,
        units: vec![None; plugin.linked.units.len()],
    };
    for (index, unit) in plugin.linked.units.iter().enumerate() {
        if unit.per_call {
            continue;
        }
        let instance = instances.instantiate(store, index).await;
        let instance = instance.map_err(|error| start_failure(store, &error))?;
        instances.units[index] = Some(instance);
        instances.fill_deferred(store, index).map_err(internal)?;
        for initializer in &unit.initializers {
            let entry = Entry::named(store, &instance, &initializer.export, &initializer.types);
            let entry = entry.map_err(internal)?;
            let ended = entry.call(store).await;
            ended.map_err(|error| start_failure(store, &error))?;
        }
        if let Some(text) = store.data_mut().kernel.take_error() {
            let message = format!("the plugin's start code failed: {text}");
            return Err(Failure::new(Code::Guest, message));
        }
    }
    let main = instances.units.get(plugin.linked.main).copied().flatten();
    main.ok_or_else(|| Failure::new(Code::Internal, "the plugin has no main module"))
}

/// What a call fails with whose instance could not be made.
fn start_failure(store: &mut Store<InstanceState>, error: &wasmtime::Error) -> Failure {
    if let Some(failure) = store.data().call.stop_reason() {
        return failure;
    }
    if !trap::is_from_guest(error) {
        let message = format!("the plugin cannot be instantiated: {error:#}");
        return Failure::new(Code::Instance, message);
    }
    let failure = trap::failure(error);
    let reported = store.data_mut().kernel.take_error();
    match (failure.exit_code, reported) {
        (Some(code), None) if failure.code == Code::Exit => {
            Failure::new(Code::Exit, "the plugin's start code exited").with_exit_code(code)
        }
        (_, Some(text)) if matches!(failure.code, Code::Exit | Code::Trap) => Failure {
            message: text,
            ..failure
        },
        _ => failure,
    }
}

#[derive(Clone)]
struct Instances {
    plugin: Arc<PluginSpec>,
    kernel: Instance,
    /// Those that there are, by the position of their unit.
    units: Vec<Option<Instance>>,
}

impl Instances {
    async fn instantiate(
        &self,
        store: &mut Store<InstanceState>,
        index: usize,
    ) -> wasmtime::Result<Instance> {
        let externs = self.externs(&mut *store, index)?;
        let module = &self.plugin.code[index].module;
        Instance::new_async(store, module, &externs).await
    }

    fn externs(
        &self,
        mut store: impl wasmtime::AsContextMut<Data = InstanceState>,
        index: usize,
    ) -> wasmtime::Result<Vec<Extern>> {
        let sources = self.plugin.linked.units[index].imports.iter();
        sources
            .map(|source| {
                let found = self.find(&mut store, source);
                found.ok_or_else(|| wasmtime::Error::msg(format!("nothing provides {source:?}")))
            })
            .collect()
    }

    fn find(
        &self,
        store: &mut impl wasmtime::AsContextMut<Data = InstanceState>,
        source: &Source,
    ) -> Option<Extern> {
        let PluginLinker { common, own } = &self.plugin.linker;
        match source {
            Source::Service { name, .. } if kernel::EXPORTS.contains(name) => {
                self.kernel.get_export(store, name)
            }
            Source::Service { name, .. } if HTTP.contains(name) => own.get(store, ENV, name).ok(),
            Source::Service {
                name,
                legacy: false,
            } => common.linker.get(store, ENV, name).ok(),
            Source::Service { name, legacy: true } => {
                let name = format!("{LEGACY_PREFIX}{name}");
                common.linker.get(store, LEGACY, &name).ok()
            }
            Source::HostFunction(number) => own.get(store, FUNCTION, &number.to_string()).ok(),
            Source::Wasi(name) => common.linker.get(store, WASI, name).ok(),
            Source::Export { unit, name } => {
                let instance = self.units.get(*unit).copied().flatten()?;
                instance.get_export(store, name)
            }
            Source::Command { unit, name, types } => {
                Some(self.command(store, *unit, name, types).into())
            }
        }
    }

    /// A function that calls that of a fresh instance.
    fn command(
        &self,
        store: &mut impl wasmtime::AsContextMut<Data = InstanceState>,
        unit: usize,
        name: &str,
        types: &Types,
    ) -> Func {
        let engine = &self.plugin.engine.wasmtime;
        let ty = FuncType::new(
            engine,
            types.params.iter().map(crate::host_function::to_wasmtime),
            types.results.iter().map(crate::host_function::to_wasmtime),
        );
        let (instances, name) = (self.clone(), Arc::<str>::from(name));
        Func::new_async(store, ty, move |mut caller, inputs, outputs| {
            let (instances, name) = (instances.clone(), name.clone());
            Box::new(async move {
                let module = &instances.plugin.code[unit].module;
                let memories = u64::from(module.resources_required().num_memories);
                let permit = MappingPermit::acquire(memory_mappings(memories))?;
                caller.data_mut().commands.push(permit);
                let externs = instances.externs(&mut caller, unit)?;
                let instance = Instance::new_async(&mut caller, module, &externs).await?;
                let function = instance.get_func(&mut caller, &name);
                let function = function.ok_or_else(|| wasmtime::Error::msg("no such function"))?;
                function.call_async(&mut caller, inputs, outputs).await
            })
        })
    }

    /// Puts the functions of a unit into the tables of those that were instantiated before it.
    fn fill_deferred(&self, store: &mut Store<InstanceState>, unit: usize) -> wasmtime::Result<()> {
        let missing = || wasmtime::Error::msg("a module of a circle is not there");
        for deferred in &self.plugin.linked.deferred {
            if deferred.unit != unit {
                continue;
            }
            let instance = self.units[unit].ok_or_else(missing)?;
            let function = instance
                .get_func(&mut *store, &deferred.export)
                .ok_or_else(missing)?;
            let trampoline = self.units[deferred.trampoline].ok_or_else(missing)?;
            let table = trampoline
                .get_table(&mut *store, &deferred.table)
                .ok_or_else(missing)?;
            table.set(&mut *store, deferred.slot.into(), Ref::Func(Some(function)))?;
        }
        Ok(())
    }
}
