//! One case on this host, and on the reference.

use extism::{CurrentPlugin, Manifest, PTR, PluginBuilder, UserData, Wasm};
use extism_host::call::Outcome;
use extism_host::error::{Code, Failure};
use extism_host::host_function::{Caller, HostFunction};
use extism_host::module_bytes::ModuleBytes;
use wasmparser::ValType::I64;
use wasmtime::Val;

use crate::common::Plugin;
use crate::common::source::{modules, rust};
use crate::corpus::Case;

/// What a call ended with, as far as both hosts say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Output(Vec<u8>),
    /// The guest's own text, or what a host has to say.
    Failed(String),
    Exit(i32),
    /// What kind of trap.
    Trap(String),
    /// It stored, or passed on, what is no block of its own.
    Memory,
}

/// What `hostMemoryGet` has.
fn stored(key: &str) -> Option<&'static str> {
    match key {
        "hello" => Some("world"),
        "message" => Some("👋 from the host"),
        "empty" => Some(""),
        _ => None,
    }
}

pub struct Ours(Plugin);

impl Ours {
    pub fn new(case: &Case) -> Self {
        let texts: Vec<_> = case.modules.iter().map(|(name, _)| (&**name, "")).collect();
        let mut source = modules(&texts);
        for (module, (_, bytes)) in source.modules.iter_mut().zip(&case.modules) {
            module.1 = ModuleBytes::new(bytes.clone());
        }
        source.config.insert("k".to_owned(), "another".to_owned());
        source.functions = vec![HostFunction {
            namespace: Some("extism:host/user".to_owned()),
            ..rust("hostMemoryGet", &[I64], &[I64], our_memory_get)
        }];
        Self(Plugin::open(source))
    }

    pub fn call(&mut self, function: &str, input: &[u8]) -> Seen {
        seen(self.0.call(function, input))
    }
}

fn our_memory_get(
    caller: &mut Caller<'_>,
    inputs: &[Val],
    outputs: &mut [Val],
) -> Result<(), Failure> {
    let found = stored(caller.get::<&str>(inputs.first())?);
    outputs[0] = match found {
        Some(value) => caller.put(value)?,
        None => Val::I64(0),
    };
    Ok(())
}

fn seen(outcome: Outcome) -> Seen {
    let failure = match outcome {
        Ok(output) => return Seen::Output(output.unwrap_or_default()),
        Err(failure) => failure,
    };
    let code = failure.exit_code.unwrap_or_default();
    match failure.code {
        Code::Memory => Seen::Memory,
        Code::Exit if failure.message == format!("the plugin returned {code}") => Seen::Exit(code),
        Code::Exit if failure.message == format!("the plugin exited with {code}") => {
            Seen::Exit(code)
        }
        Code::Exit | Code::Guest | Code::Trap => text(&failure.message),
        other => panic!("{other:?}: {failure}"),
    }
}

fn text(message: &str) -> Seen {
    match message.strip_prefix("wasm trap: ") {
        Some(kind) => Seen::Trap(kind.to_owned()),
        None => Seen::Failed(message.to_owned()),
    }
}

pub struct Theirs(extism::Plugin);

impl Theirs {
    pub fn new(case: &Case) -> Self {
        let modules = case.modules.iter();
        let wasm = modules.map(|(name, bytes)| Wasm::data(bytes.clone()).with_name(name));
        let manifest = Manifest::new(wasm).with_config_key("key", "value");
        let manifest = manifest.with_config_key("k", "another");
        let plugin = PluginBuilder::new(manifest)
            .with_wasi(true)
            .with_cache_disabled()
            .with_function_in_namespace(
                "extism:host/user",
                "hostMemoryGet",
                [PTR],
                [PTR],
                UserData::new(()),
                their_memory_get,
            );
        Self(plugin.build().unwrap())
    }

    pub fn call(&mut self, function: &str, input: &[u8]) -> Seen {
        let error = match self.0.call::<_, Vec<u8>>(function, input) {
            Ok(output) => return Seen::Output(output),
            Err(error) => error.root_cause().to_string(),
        };
        let returned = error.strip_prefix("Returned non-zero exit code: ");
        let exited = error.strip_prefix("Exited with i32 exit status ");
        match returned.or(exited) {
            Some(code) => Seen::Exit(code.parse().unwrap()),
            None => text(&error),
        }
    }
}

fn their_memory_get(
    plugin: &mut CurrentPlugin,
    inputs: &[extism::Val],
    outputs: &mut [extism::Val],
    _: UserData<()>,
) -> Result<(), extism::Error> {
    let key: String = plugin.memory_get_val(&inputs[0])?;
    match stored(&key) {
        Some(value) => plugin.memory_set_val(&mut outputs[0], value)?,
        None => outputs[0] = extism::Val::I64(0),
    }
    Ok(())
}
