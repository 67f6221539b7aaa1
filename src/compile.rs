//! What the child process that compiles a module does: see `lib/compile-module.cjs`.

use std::path::PathBuf;

use extism_host::compiled;
use extism_host::engine::{EngineClass, StackClass};
use extism_host::threads::{contain, spawn_blocking};
use napi::Env;
use napi::bindgen_prelude::*;

use super::environment::Environment;
use super::settings::thrown;

/// Compiles a module on other threads into the first of the directories that can be written to: a
/// promise of the code and the message of a failure, if there is one.
#[napi(catch_unwind)]
pub fn compile_into<'env>(
    env: &'env Env,
    module: &[u8],
    fuel: bool,
    stack_bytes: u32,
    directories: Vec<String>,
) -> Result<Object<'env>> {
    let class = EngineClass {
        fuel,
        stack: StackClass::for_bytes(stack_bytes as usize),
    };
    let bytes = Environment::bytes(env, module)?;
    let directories: Vec<_> = directories.into_iter().map(PathBuf::from).collect();
    let (deferred, promise) = env.create_deferred()?;
    let job = move || {
        let compiled = contain(|| compiled::compile_into(class, bytes, &directories));
        let failure = compiled.err();
        let failure = failure.map(|failure| (failure.code.name(), failure.message));
        deferred.resolve(move |_| Ok(failure));
    };
    spawn_blocking(job).map_err(|failure| thrown(env, failure))?;
    Ok(promise)
}
