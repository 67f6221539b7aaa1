//! What modules are accepted, how they are linked, and that what is linked can be instantiated.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at what it does not expect"
)]

mod circular;
mod commands;
mod instantiate;
mod linking;
mod reading;
mod stand_in;
mod wasi;

use wasmparser::ValType;

use super::*;
use crate::error::{Code, Failure};

fn read(name: &str, wat: &str) -> Module {
    Module::read(name, wat.into()).unwrap()
}

/// The modules of a manifest, from their names and texts.
fn manifest(modules: &[(&str, &str)]) -> Vec<Module> {
    let modules = modules.iter();
    modules
        .map(|(name, text)| read(name, &format!("(module {text})")))
        .collect()
}

fn linked(modules: &[(&str, &str)]) -> LinkedModule {
    link(manifest(modules), &[], &LinkOptions::default()).unwrap()
}

/// The message with which linking these modules fails.
fn refused(modules: &[(&str, &str)], functions: &[Signature]) -> String {
    refused_with(modules, functions, &LinkOptions::default()).message
}

fn refused_with(
    modules: &[(&str, &str)],
    functions: &[Signature],
    options: &LinkOptions,
) -> Failure {
    let failure = link(manifest(modules), functions, options).unwrap_err();
    assert!(
        [Code::Link, Code::OutOfMemory].contains(&failure.code),
        "{failure}"
    );
    failure
}

fn host(namespace: Option<&str>, name: &str, params: &[ValType]) -> Signature {
    Signature {
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        types: Some(Types::new(params, &[])),
    }
}

fn unit_names(linked: &LinkedModule) -> Vec<&str> {
    linked.units.iter().map(|unit| &*unit.name).collect()
}

fn export(unit: usize, name: &str) -> Source {
    let name = name.to_owned();
    Source::Export { unit, name }
}
