//! Valid modules, made of arbitrary bytes.

use arbitrary::{Arbitrary, Result, Unstructured};
use wasm_smith::{Config, Module};
use wasmparser::ValType;

use crate::module::{Signature, Types};

const ENVIRONMENT: &str = include_str!("../guests/environment.wat");
pub const SLOTS: &str = include_str!("../guests/slots.wat");
const IMPORTS: &str = include_str!("../guests/imports.wat");

/// How often a module may loop or call, in all: it ends, before it has no stack left.
const FUEL: u32 = 2_000;

/// The host functions that `guests/environment.wat` has imports of.
pub fn functions() -> Vec<Signature> {
    let block = || Types::new(&[ValType::I64], &[ValType::I64]);
    let function = |namespace: Option<&str>, name: &str, types| Signature {
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        types,
    };
    vec![
        function(None, "known", Some(block())),
        function(None, "any", None),
        function(Some("mine"), "get", Some(block())),
    ]
}

/// A module of features that plugins can have. With `environment`, all it imports is provided.
pub fn generate(u: &mut Unstructured, environment: bool) -> Result<Vec<u8>> {
    let mut config = Config::arbitrary(u)?;
    config.threads_enabled = false;
    config.generate_custom_sections = true;
    config.max_type_size = 100;
    if environment {
        config.available_imports = wat::parse_str(ENVIRONMENT).ok();
    }
    Ok(Module::new(config, u)?.to_bytes())
}

/// A module that any host should run alike: of features that all have, without NaNs of different
/// kinds, and within limits that all have.
pub fn comparable(u: &mut Unstructured) -> Result<Vec<u8>> {
    let config = Config {
        available_imports: wat::parse_str(IMPORTS).ok(),
        allow_start_export: false,
        canonicalize_nans: true,
        exceptions_enabled: false,
        export_everything: true,
        extended_const_enabled: false,
        gc_enabled: false,
        max_funcs: 30,
        max_memory32_bytes: 16 << 16,
        max_table_elements: 1_000,
        max_tables: 4,
        memory64_enabled: false,
        memory_max_size_required: true,
        min_funcs: 2,
        relaxed_simd_enabled: false,
        table_max_size_required: true,
        threads_enabled: false,
        ..Config::default()
    };
    ending(config, u)
}

/// A module of any features that plugins can have, which does what it likes with the host.
pub fn hostile(u: &mut Unstructured) -> Result<Vec<u8>> {
    let config = Config {
        available_imports: wat::parse_str(ENVIRONMENT).ok(),
        max_exports: 20,
        max_memories: 3,
        max_tables: 4,
        min_exports: 4,
        min_funcs: 2,
        threads_enabled: false,
        ..Config::default()
    };
    ending(config, u)
}

fn ending(config: Config, u: &mut Unstructured) -> Result<Vec<u8>> {
    let mut module = Module::new(config, u)?;
    module
        .ensure_termination(FUEL)
        .expect("all code is generated");
    Ok(module.to_bytes())
}

/// Changes a few bytes of a module: it keeps most of its structure, and with luck its validity.
pub fn mutate(u: &mut Unstructured, bytes: &mut Vec<u8>) -> Result<()> {
    for _ in 0..u.int_in_range(1..=8)? {
        let at = u.choose_index(bytes.len())?;
        let rest = bytes.len() - at;
        match u.int_in_range(0..=4)? {
            0 => bytes[at] = u.arbitrary()?,
            1 => bytes[at] ^= 1 << u.int_in_range(0..=7)?,
            2 => bytes.insert(at, u.arbitrary()?),
            3 => drop(bytes.drain(at..at + u.int_in_range(0..=rest.min(16) - 1)?)),
            _ => {
                let piece = bytes[at..at + u.int_in_range(1..=rest.min(64))?].to_vec();
                let to = u.choose_index(bytes.len())?;
                bytes.splice(to..to, piece);
            }
        }
    }
    Ok(())
}
