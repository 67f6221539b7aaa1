//! The boundary to JavaScript. The JavaScript side owns names, defaults, validation and error
//! classes; what arrives here has been checked.

mod descriptor;
mod environment;
mod host_call;
mod logger;
mod opening;
mod plugin;
mod raw;
mod rejection;
mod settler;
mod source;
mod stats;
mod store;
mod synchronous;
mod ticket;
mod value;
mod variables;

use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::*;

use crate::error::Failure;
use crate::log::Level;
use crate::log_file::LogFile;

/// V8 gives up on more than it can imagine.
const MAX_EXTERNAL_BYTES: u64 = 1 << 30;

/// A duration; what is too long to be one is never over either way.
fn milliseconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(Duration::MAX)
}

/// Throws an error with the code of a failure; the JavaScript side makes its own of it.
fn thrown(env: &Env, failure: Failure) -> Error {
    let code = failure.code.name().to_owned();
    match raw::value(env, Error::new(code, failure.cut().message)) {
        Ok(error) => Error::from(error),
        Err(error) => error,
    }
}

/// Appends what plugins log to this file from now on; `level` is a level's name.
#[napi(catch_unwind)]
pub fn set_log_file(path: String, level: String) -> Result<()> {
    let level = Level::from_name(&level).unwrap_or(Level::Info);
    LogFile::set(path.as_ref(), level).map_err(|error| Error::from_reason(error.to_string()))
}

/// The version of the Extism runtime.
#[napi(catch_unwind)]
pub fn extism_version() -> &'static str {
    extism::extism_version().trim_end_matches('\0')
}
