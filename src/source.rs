//! What a plugin is made of, as the JavaScript side hands it over.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::sync::Arc;

use napi::bindgen_prelude::ClassInstance;

use extism_host::built_in;
use extism_host::compiled::{ChildCommand, CompileLimits};
use extism_host::host_function::{Body, Embedded, HostFunction};
use extism_host::log::{Forwarder, Level, ToCaller};
use extism_host::log_file::LogFile;
use extism_host::module::{LinkOptions, Types};
use extism_host::plugin_spec::Limits;
use extism_host::pool;
use extism_host::variables::{Scope, Variables};
use extism_host::wasi::WasiOptions;
use wasmparser::ValType;

use super::module::NativeModule;
use super::settings::milliseconds;
use super::store::NativeStore;
use super::value::to_type;

/// A module of a manifest.
#[napi(object, object_to_js = false)]
pub struct ModuleSource<'a> {
    pub name: String,
    pub module: ClassInstance<'a, NativeModule>,
}

/// A host function: JavaScript, unless it is one of those in Rust.
#[napi(object, object_to_js = false)]
pub struct FunctionSource {
    pub namespace: Option<String>,
    pub name: String,
    /// Their types; both absent for those of whoever imports it.
    pub params: Option<Vec<u8>>,
    pub results: Option<Vec<u8>>,
    /// Which of those in Rust it is, and of the stores it works on.
    pub built_in: Option<String>,
    pub store: Option<u32>,
    pub missing: Option<String>,
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

/// What compiling may take, and how the child process that compiles is started: see
/// `extism_host::compiled::CompileLimits`.
#[napi(object, object_to_js = false)]
pub struct CompileLimitsSource {
    pub timeout_ms: Option<f64>,
    pub memory_bytes: Option<f64>,
    pub program: String,
    pub script: String,
    pub environment: Vec<(String, String)>,
    pub temporary: String,
}

/// Everything a plugin is made of, checked and complete.
#[napi(object, object_to_js = false)]
pub struct PluginSource<'a> {
    pub modules: Vec<ModuleSource<'a>>,
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
    /// Present if a child process is to compile.
    pub compile_limits: Option<CompileLimitsSource>,
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
    /// Whether guests run on worker threads only.
    pub off_thread: bool,
    /// Whether each call has an instance of its own.
    pub fresh: bool,
}

/// From which level on a plugin logs to JavaScript.
pub fn level(source: &PluginSource<'_>) -> Level {
    let level = source.log_level.as_deref().and_then(Level::from_name);
    level.unwrap_or(Level::Silent)
}

/// The same without anything of JavaScript's, for any thread.
pub fn read(
    id: u32,
    source: PluginSource<'_>,
    stores: &[ClassInstance<'_, NativeStore>],
    forwarder: Arc<Forwarder>,
) -> pool::PluginSource {
    let numbered = source.functions.into_iter().enumerate();
    let functions: Vec<_> = numbered
        .map(|(number, function)| host_function(id, number, function, stores))
        .collect();
    let http = [
        (
            "http_request",
            &[ValType::I64, ValType::I64][..],
            ValType::I64,
        ),
        ("http_status_code", &[], ValType::I32),
        ("http_headers", &[], ValType::I64),
    ];
    let mut number = functions.len() as u32;
    let http = http.map(|(name, params, result)| {
        number += 1;
        HostFunction {
            namespace: None,
            name: name.to_owned(),
            types: Some(Types::new(params, &[result])),
            body: Body::Embedder(Embedded {
                plugin: id,
                number: number - 1,
            }),
        }
    });
    let limits = source.limits;
    let modules = source.modules.into_iter();
    pool::PluginSource {
        modules: modules
            .map(|ModuleSource { name, module }| (name, module.take()))
            .collect(),
        functions,
        http,
        logger: match source.log_level {
            Some(_) => Arc::new(ToCaller(forwarder.clone())),
            None => Arc::new(LogFile),
        },
        output: source.wasi_output.then_some(forwarder),
        config: BTreeMap::from_iter(source.config),
        wasi: WasiOptions {
            allowed_paths: source.allowed_paths,
            terminal: [io::stdout().is_terminal(), io::stderr().is_terminal()],
            output: None,
        },
        variables: match source.variables {
            VariableScope::Guest => Scope::Guest,
            VariableScope::Instance => Scope::Instance,
            VariableScope::Plugin => {
                Scope::Plugin(Arc::new(Variables::new(limits.var_bytes as u64)))
            }
        },
        limits: Limits {
            pages: limits.pages,
            block_pages: limits.block_pages,
            table_elements: limits.table_elements,
            output_bytes: limits.output_bytes as u64,
            log_bytes: limits.log_bytes as u64,
            var_bytes: limits.var_bytes as u64,
            fuel: source.fuel.map(|fuel| fuel as u64),
        },
        stack_bytes: limits.stack_bytes as usize,
        codes_are_errors: source.codes_are_errors,
        cache: source.cache.map(Into::into),
        compile_limits: source.compile_limits.map(compile_limits),
        link: LinkOptions {
            wasi: source.wasi,
            max_pages: limits.pages,
            max_table_elements: limits.table_elements,
            runs_commands: source.runs_commands,
            any_signature: source.any_signature,
        },
        options: pool::Options {
            instances: source.instances as usize,
            max_queue: source.max_queue as usize,
            queue_timeout: source.queue_timeout_ms.map(milliseconds),
            timeout: source.timeout_ms.map(milliseconds),
            off_thread: source.off_thread,
            fresh: source.fresh,
        },
    }
}

fn compile_limits(source: CompileLimitsSource) -> CompileLimits {
    CompileLimits {
        timeout: source.timeout_ms.map(milliseconds),
        memory_bytes: source.memory_bytes.map(|bytes| bytes as u64),
        command: ChildCommand {
            program: source.program.into(),
            script: source.script.into(),
            environment: source.environment,
            temporary: source.temporary.into(),
        },
    }
}

/// One in Rust if it is built in, and else JavaScript's of this number.
fn host_function(
    id: u32,
    number: usize,
    source: FunctionSource,
    stores: &[ClassInstance<'_, NativeStore>],
) -> HostFunction {
    let types = source.params.zip(source.results);
    let store = source.store.and_then(|index| stores.get(index as usize));
    let built_in = source.built_in.zip(store).and_then(|(name, store)| {
        built_in::find(&name, store.store.clone(), source.missing.as_deref())
    });
    let list = |types: Vec<u8>| types.into_iter().map(to_type).collect();
    HostFunction {
        namespace: source.namespace,
        name: source.name,
        types: types.map(|(params, results)| Types {
            params: list(params),
            results: list(results),
        }),
        body: match built_in {
            Some(function) => Body::Rust(function),
            None => Body::Embedder(Embedded {
                plugin: id,
                number: number as u32,
            }),
        },
    }
}
