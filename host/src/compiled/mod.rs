//! Compiled code: made once for the same bytes, shared in the process and kept on disk.

mod child;
mod code_file;
mod compiler;
mod modules;
mod scratch;
mod sweep;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::{Engine, EngineClass, engine};
use crate::error::{Code, Failure};
use crate::ffi;
use crate::module_bytes::ModuleBytes;
use crate::threads::contain;

pub use child::{ChildCommand, ChildCompiler, CompileLimits};
pub use code_file::TrustedCode;

use code_file::CodeFile;

/// A module that an engine can instantiate.
#[derive(Debug)]
pub struct CompiledModule {
    pub module: wasmtime::Module,
    /// What it was compiled from, by which further plugins of it find it.
    pub bytes: ModuleBytes,
}

/// Compiles a module, unless this process has it, or `cache` does: a directory that belongs to the
/// user, and that nobody else may write to. With a `compiler`, a child process compiles.
///
/// Blocks the thread. Fails with `Code::Module` if the module is invalid. A cache that cannot be
/// read or written to is no failure.
pub(crate) fn compile(
    engine: &'static Engine,
    bytes: &ModuleBytes,
    cache: Option<&Path>,
    compiler: Option<&ChildCompiler<'_>>,
) -> Result<Arc<CompiledModule>, Failure> {
    let deadline = compiler.and_then(|compiler| compiler.deadline);
    let compiled = modules::get_or_make((engine.class, *bytes.digest()), deadline, || {
        contain(|| make(engine, bytes, cache, compiler))
    });
    match (compiled, compiler) {
        (Some(compiled), _) => compiled,
        (None, Some(compiler)) => Err(compiler.late()),
        (None, None) => Err(Failure::new(Code::Internal, "a deadline without a limit")),
    }
}

/// Compiles a module for another process into the first of the directories that can be written to.
pub fn compile_into(
    class: EngineClass,
    bytes: Vec<u8>,
    directories: &[PathBuf],
) -> Result<(), Failure> {
    let (engine, bytes) = (engine(class)?, ModuleBytes::new(bytes));
    let code = compiler::compile(engine, bytes.bytes())?;
    let mut unwritable = "there is no directory for it".to_owned();
    for directory in directories {
        match CodeFile::new(directory, &engine.fingerprint, bytes.digest()).write(&code) {
            Ok(()) => return Ok(()),
            Err(error) => unwritable = error.to_string(),
        }
    }
    let message = format!("the compiled code cannot be written: {unwritable}");
    Err(Failure::new(Code::CompileProcess, message))
}

/// Whether code for these bytes is in this process, or in the cache. Such bytes were valid once.
/// If the code on disk turns out to be damaged, compiling validates them again.
pub(crate) fn is_known(engine: &Engine, bytes: &ModuleBytes, cache: Option<&Path>) -> bool {
    let on_disk = |root| CodeFile::new(root, &engine.fingerprint, bytes.digest()).exists();
    modules::has((engine.class, *bytes.digest())) || cache.is_some_and(on_disk)
}

fn make(
    engine: &'static Engine,
    bytes: &ModuleBytes,
    cache: Option<&Path>,
    compiler: Option<&ChildCompiler<'_>>,
) -> Result<CompiledModule, Failure> {
    let file = cache.map(|root| CodeFile::new(root, &engine.fingerprint, bytes.digest()));
    let stored = file
        .as_ref()
        .and_then(|file| load(engine, &file.read()?).ok());
    let module = match (stored, compiler) {
        (Some(module), _) => module,
        (None, Some(compiler)) => load(engine, &compiler.compile(engine, bytes, cache)?)?,
        (None, None) => {
            let code = compiler::compile(engine, bytes.bytes())?;
            if let Some(file) = &file {
                // Without it the next process compiles again.
                let _ = file.write(&code);
            }
            load(engine, &code)?
        }
    };
    if let Some(root) = cache {
        sweep::begin(root);
    }
    Ok(CompiledModule {
        module,
        bytes: bytes.clone(),
    })
}

fn load(engine: &Engine, code: &TrustedCode) -> Result<wasmtime::Module, Failure> {
    ffi::deserialize(&engine.wasmtime, code).map_err(|error| {
        Failure::new(
            Code::Instance,
            format!("the compiled code cannot be loaded: {error:#}"),
        )
    })
}
