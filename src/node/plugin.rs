//! The native plugin, behind both faces.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use extism::ValType;
use napi::Env;
use napi::bindgen_prelude::*;

use super::environment::Environment;
use super::host_call::JavaScript;
use super::store::{Missing, NativeStore};
use super::thrown;
use super::value::to_type;
use crate::error::Failure;
use crate::host_function::{Body, HostFunction};
use crate::instance::Recipe;
use crate::log::LogFile;
use crate::memory_get::MemoryGet;
use crate::module::{self, Kind, Module};
use crate::plugin::{Close, Plugin};

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
    pub params: Vec<u8>,
    pub results: Vec<u8>,
    /// Which of the stores it reads.
    pub store: Option<u32>,
    pub missing: Option<Missing>,
}

/// Everything a plugin is made of, checked and complete.
#[napi(object, object_to_js = false)]
pub struct PluginSource {
    pub modules: Vec<ModuleSource>,
    pub functions: Vec<FunctionSource>,
    pub config: Vec<(String, String)>,
    pub wasi: bool,
    /// Host directory and guest path.
    pub allowed_paths: Vec<(String, String)>,
    pub max_pages: Option<u32>,
    pub timeout_ms: Option<f64>,
    /// Resolve with an empty Buffer where the guest sets no output, not with null.
    pub always_bytes: bool,
}

/// An import or an export.
#[napi(object, object_from_js = false)]
pub struct Descriptor {
    pub module: Option<String>,
    pub name: String,
    pub kind: String,
}

#[napi]
pub struct NativePlugin {
    id: u32,
    plugin: Plugin,
    always_bytes: bool,
}

#[napi]
impl NativePlugin {
    /// Reads, checks and links the modules; compiling goes on on another thread. `id` is what
    /// host calls name this plugin by.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        environment: &Environment,
        id: u32,
        source: PluginSource,
        stores: Vec<ClassInstance<'_, NativeStore>>,
    ) -> Result<Self> {
        let always_bytes = source.always_bytes;
        let plugin =
            build(environment, id, source, &stores).map_err(|failure| thrown(&env, failure))?;
        environment.plugins.borrow_mut().adopt(&plugin);
        Ok(Self {
            id,
            plugin,
            always_bytes,
        })
    }

    /// The names of the functions that can be called; `call` takes their positions.
    #[napi(getter)]
    pub fn functions(&self) -> Vec<String> {
        self.plugin.recipe().blueprint.functions.clone()
    }

    /// Whether a call may need JavaScript while it runs.
    #[napi(getter)]
    pub fn needs_javascript(&self) -> bool {
        let recipe = self.plugin.recipe();
        recipe.blueprint.uses_http
            || recipe
                .functions
                .iter()
                .any(|function| function.body.needs_javascript())
    }

    /// The main module's exports, in its order.
    #[napi(getter)]
    pub fn exports(&self) -> Vec<Descriptor> {
        let exports = &self.plugin.recipe().blueprint.exports;
        exports
            .iter()
            .map(|export| descriptor(None, &export.name, &export.kind))
            .collect()
    }

    /// The main module's imports, in its order.
    #[napi(getter)]
    pub fn imports(&self) -> Vec<Descriptor> {
        let imports = &self.plugin.recipe().blueprint.imports;
        imports
            .iter()
            .map(|import| descriptor(Some(&import.module), &import.name, &import.kind))
            .collect()
    }

    /// Puts a call in the queue: a promise of its output.
    #[napi(ts_return_type = "Promise<Buffer | null>")]
    pub fn call<'env>(
        &self,
        env: &'env Env,
        environment: &Environment,
        function: u32,
        input: Either<&[u8], String>,
    ) -> Result<Unknown<'env>> {
        let input = match input {
            Either::A(bytes) => bytes.to_vec(),
            Either::B(text) => text.into_bytes(),
        };
        let (promise, ticket) = environment
            .settler
            .promise(env, self.id, self.always_bytes)?;
        self.plugin.call(function as usize, input, Box::new(ticket));
        Ok(promise)
    }

    /// Stops what runs; whether anything did.
    #[napi]
    pub fn cancel(&self) -> bool {
        self.plugin.cancel()
    }

    /// Takes no further calls; accepted ones are finished.
    #[napi]
    pub fn close(&self) {
        self.plugin.close(Close::Drain);
    }
}

impl Drop for NativePlugin {
    fn drop(&mut self) {
        self.plugin.close(Close::Drain);
    }
}

fn descriptor(module: Option<&String>, name: &str, kind: &Kind) -> Descriptor {
    Descriptor {
        module: module.cloned(),
        name: name.to_owned(),
        kind: kind.name().to_owned(),
    }
}

fn build(
    environment: &Environment,
    id: u32,
    source: PluginSource,
    stores: &[ClassInstance<'_, NativeStore>],
) -> std::result::Result<Plugin, Failure> {
    let modules = source.modules.iter();
    let modules = modules.map(|source| Module::read(&source.name, &source.data));
    let modules = modules.collect::<std::result::Result<Vec<_>, _>>()?;
    let javascript = |index: usize, results: &[ValType]| -> Arc<dyn Body> {
        Arc::new(JavaScript {
            sender: environment.settler.sender().clone(),
            waiting: Arc::downgrade(&environment.waiting),
            plugin: id,
            function: index as u32,
            results: results.to_vec(),
        })
    };
    let functions = source.functions.into_iter().enumerate();
    let functions: Vec<_> = functions
        .map(|(index, function)| {
            let results: Vec<_> = function.results.iter().map(|&ty| to_type(ty)).collect();
            let store = function.store.and_then(|index| stores.get(index as usize));
            HostFunction {
                namespace: function.namespace,
                name: function.name,
                params: function.params.iter().map(|&ty| to_type(ty)).collect(),
                body: match store {
                    Some(store) => Arc::new(MemoryGet {
                        store: store.store.clone(),
                        missing: function.missing.unwrap_or(Missing::Absent).into(),
                    }),
                    None => javascript(index, &results),
                },
                results,
            }
        })
        .collect();
    let signatures: Vec<_> = functions.iter().map(HostFunction::signature).collect();
    let blueprint = module::link(modules, &signatures, source.wasi)?;
    let used = blueprint.host_functions.iter();
    let used = used.map(|&index| functions[index].clone()).collect();
    let http = [ValType::I64, ValType::I32, ValType::I64];
    let paths = source.allowed_paths.into_iter();
    let recipe = Recipe {
        blueprint,
        http: std::array::from_fn(|index| {
            javascript(functions.len() + index, &http[index..=index])
        }),
        functions: used,
        logger: Arc::new(LogFile),
        config: BTreeMap::from_iter(source.config),
        wasi: source.wasi,
        allowed_paths: paths.map(|(host, guest)| (host, guest.into())).collect(),
        max_pages: source.max_pages,
    };
    let timeout = source
        .timeout_ms
        .map(|ms| Duration::from_secs_f64(ms / 1000.0));
    Plugin::new(recipe, timeout)
}
