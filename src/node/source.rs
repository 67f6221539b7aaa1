//! What a plugin is made of, as the JavaScript side hands it over.

use std::collections::BTreeMap;
use std::sync::Arc;

use napi::bindgen_prelude::{ClassInstance, Uint8Array};

use super::environment::Environment;
use super::host_call::JavaScript;
use super::logger::{Door, ToJavaScript};
use super::milliseconds;
use super::store::{Missing, NativeStore};
use super::value::to_type;
use crate::error::Failure;
use crate::faults;
use crate::host_function::{Body, HostFunction};
use crate::instance::{Cache, Limits, Recipe};
use crate::log::Level;
use crate::log_file::LogFile;
use crate::memory_get::MemoryGet;
use crate::module::{self, Module, Rules, Types};
use crate::plugin::{Options, Plugin};
use crate::variables::{Scope, Variables};

/// A module of a manifest.
#[napi(object, object_to_js = false)]
pub struct ModuleSource {
    pub name: String,
    pub data: Uint8Array,
}

/// A host function: JavaScript, unless it reads a store.
#[napi(object, object_to_js = false)]
pub struct FunctionSource {
    pub namespace: Option<String>,
    pub name: String,
    /// Their types; both absent for those of whoever imports it.
    pub params: Option<Vec<u8>>,
    pub results: Option<Vec<u8>>,
    /// Which of the stores it reads.
    pub store: Option<u32>,
    pub missing: Option<Missing>,
}

/// Whose variables are whose: each instance has its own, until its guest breaks off or for good,
/// or all have the same.
#[napi(string_enum = "lowercase")]
pub enum VariableScope {
    Guest,
    Instance,
    Plugin,
}

/// What a plugin may take.
#[napi(object, object_to_js = false)]
pub struct LimitsSource {
    /// Of its memories and blocks together.
    pub pages: u32,
    /// Of its tables together.
    pub table_elements: u32,
    /// Of blocks alone.
    pub block_pages: Option<u32>,
    /// Of variables together, values only; Infinity for any.
    pub var_bytes: f64,
    pub output_bytes: f64,
    /// Of the stack, for each call.
    pub stack_bytes: u32,
    /// What a call may log and print; Infinity for any.
    pub log_bytes: f64,
}

/// Everything a plugin is made of, checked and complete.
#[napi(object, object_to_js = false)]
pub struct PluginSource {
    pub modules: Vec<ModuleSource>,
    pub functions: Vec<FunctionSource>,
    pub config: Vec<(String, String)>,
    pub wasi: bool,
    /// Whether what it prints is printed.
    pub wasi_output: bool,
    /// Host directory and guest path.
    pub allowed_paths: Vec<(String, String)>,
    pub limits: LimitsSource,
    pub timeout_ms: Option<f64>,
    pub instances: u32,
    pub max_queue: u32,
    pub queue_timeout_ms: Option<f64>,
    /// The directory where compiled code is kept, which nobody but the user may write to.
    pub cache: Option<String>,
    pub variables: VariableScope,
    /// How many instructions a call may run, about.
    pub fuel: Option<f64>,
    /// From which level on the listener gets what the plugin logs; absent for the log file.
    pub log_level: Option<String>,
    /// Whether functions of any parameters and results can be called.
    pub any_signature: bool,
    /// Whether a command that needs no WASI is run before the first call.
    pub runs_commands: bool,
    /// Whether a function that returns another number than 0 has failed.
    pub codes_are_errors: bool,
    /// Resolve with an empty Buffer where the guest sets no output, not with null.
    pub always_bytes: bool,
}

/// The same without anything of JavaScript's, for any thread.
pub struct Plan {
    modules: Vec<(String, Vec<u8>)>,
    functions: Vec<HostFunction>,
    http: [Arc<dyn Body>; 3],
    config: BTreeMap<String, String>,
    wasi: bool,
    wasi_output: bool,
    allowed_paths: Vec<(String, String)>,
    limits: LimitsSource,
    any_signature: bool,
    runs_commands: bool,
    variables: VariableScope,
    fuel: Option<u64>,
    codes_are_errors: bool,
    cache: Option<String>,
    /// Where it prints, and logs unless that is to the log file.
    pub door: Arc<Door>,
    logs: bool,
    options: Options,
}

impl Plan {
    pub fn new(
        environment: &Environment,
        id: u32,
        source: PluginSource,
        stores: &[ClassInstance<'_, NativeStore>],
    ) -> Self {
        let javascript = |index: usize| -> Arc<dyn Body> {
            Arc::new(JavaScript {
                sender: environment.settler.sender().clone(),
                waiting: Arc::downgrade(&environment.waiting),
                plugin: id,
                function: index as u32,
            })
        };
        let functions = source.functions.into_iter().enumerate();
        let functions: Vec<_> = functions
            .map(|(index, function)| {
                let store = function.store.and_then(|index| stores.get(index as usize));
                HostFunction {
                    namespace: function.namespace,
                    name: function.name,
                    types: function
                        .params
                        .zip(function.results)
                        .map(|(params, results)| Types {
                            params: params.into_iter().map(to_type).collect(),
                            results: results.into_iter().map(to_type).collect(),
                        }),
                    body: match store {
                        Some(store) => Arc::new(MemoryGet {
                            store: store.store.clone(),
                            missing: function.missing.unwrap_or(Missing::Absent).into(),
                        }),
                        None => javascript(index),
                    },
                }
            })
            .collect();
        let modules = source.modules.into_iter();
        Self {
            modules: modules
                .map(|module| (module.name, module.data.to_vec()))
                .collect(),
            http: std::array::from_fn(|index| javascript(functions.len() + index)),
            functions,
            config: BTreeMap::from_iter(source.config),
            wasi: source.wasi,
            wasi_output: source.wasi_output,
            allowed_paths: source.allowed_paths,
            limits: source.limits,
            any_signature: source.any_signature,
            runs_commands: source.runs_commands,
            variables: source.variables,
            fuel: source.fuel.map(|fuel| fuel as u64),
            codes_are_errors: source.codes_are_errors,
            cache: source.cache,
            logs: source.log_level.is_some(),
            door: Arc::new(Door::new(
                environment.settler.sender().clone(),
                id,
                source
                    .log_level
                    .and_then(|level| Level::from_name(&level))
                    .unwrap_or(Level::Silent),
            )),
            options: Options {
                instances: source.instances as usize,
                max_queue: source.max_queue as usize,
                queue_timeout: source.queue_timeout_ms.map(milliseconds),
                timeout: source.timeout_ms.map(milliseconds),
            },
        }
    }

    /// Reads, checks and links the modules. With `compiled`, also waits for the first instance.
    pub fn open(self, compiled: bool) -> Result<Plugin, Failure> {
        faults::point("open");
        let modules = self.modules.into_iter();
        let modules = modules.map(|(name, bytes)| Module::read(&name, bytes));
        let modules = modules.collect::<Result<Vec<_>, _>>()?;
        let signatures: Vec<_> = self.functions.iter().map(HostFunction::signature).collect();
        let rules = Rules {
            wasi: self.wasi,
            wasi_output: self.wasi_output,
            max_pages: self.limits.pages,
            max_table_elements: self.limits.table_elements,
            block_pages: self.limits.block_pages,
            any_signature: self.any_signature,
            runs_commands: self.runs_commands,
        };
        let blueprint = module::link(modules, &signatures, &rules)?;
        let used = blueprint.host_functions.iter();
        let used = used
            .map(|used| HostFunction {
                types: Some(used.types.clone()),
                ..self.functions[used.function].clone()
            })
            .collect();
        let paths = self.allowed_paths.into_iter();
        let recipe = Recipe {
            blueprint,
            functions: used,
            http: self.http,
            output: Arc::new(ToJavaScript(self.door.clone())),
            logger: match self.logs {
                true => Arc::new(ToJavaScript(self.door)),
                false => Arc::new(LogFile),
            },
            config: self.config,
            wasi: self.wasi,
            allowed_paths: paths.map(|(host, guest)| (host, guest.into())).collect(),
            block_pages: self.limits.block_pages,
            max_var_bytes: self.limits.var_bytes as u64,
            limits: Limits {
                output_bytes: self.limits.output_bytes as u64,
                stack_bytes: self.limits.stack_bytes as usize,
                log_bytes: self.limits.log_bytes as u64,
            },
            variables: match self.variables {
                VariableScope::Guest => Scope::Guest,
                VariableScope::Instance => Scope::Instance,
                VariableScope::Plugin => {
                    Scope::Plugin(Arc::new(Variables::new(self.limits.var_bytes as u64)))
                }
            },
            fuel: self.fuel,
            codes_are_errors: self.codes_are_errors,
            cache: self.cache.map(|root| Cache::new(root.into())),
        };
        if compiled {
            Plugin::compiled(recipe, self.options)
        } else {
            Plugin::new(recipe, self.options)
        }
    }
}
