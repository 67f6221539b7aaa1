//! What belongs to the process.

use std::time::Duration;

use extism_host::error::Failure;
use extism_host::log::Level;
use extism_host::log_file::LogFile;
use napi::Env;
use napi::bindgen_prelude::*;

use super::raw;

/// V8 gives up on more than it can imagine.
pub const MAX_EXTERNAL_BYTES: u64 = 1 << 30;

/// A duration; what is too long to be one is never over either way.
pub fn milliseconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(Duration::MAX)
}

/// Throws an error with the code of a failure; the JavaScript side makes its own of it.
pub fn thrown(env: &Env, failure: Failure) -> Error {
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

/// Listeners for signals have been added or removed.
#[napi(catch_unwind)]
pub fn signals_changed() {
    extism_host::engine::signals_changed();
}

/// The version of Extism whose manifests, ABI and conversions these are.
#[napi(catch_unwind)]
pub fn extism_version() -> &'static str {
    extism_host::extism_version()
}

/// The next time that code comes by this point, it panics, once.
#[cfg(feature = "faults")]
#[napi(catch_unwind)]
pub fn panic_at(point: String) {
    extism_host::faults::arm(point);
}
