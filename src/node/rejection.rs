//! A failure, as the JavaScript side gets it.

use crate::error::Failure;

/// A failed call on its way to the JavaScript side, which makes the error for it.
#[napi(object, object_from_js = false)]
pub struct Rejection {
    /// What to give to `reject`.
    pub ticket: u32,
    /// The plugin's number.
    pub plugin: u32,
    pub code: String,
    pub message: String,
    pub function: Option<String>,
    pub exit_code: Option<i32>,
    /// Where the guest was.
    pub backtrace: Option<String>,
    /// The number of the JavaScript error behind it.
    pub cause: Option<u32>,
}

impl Rejection {
    pub fn new(ticket: u32, plugin: u32, failure: Failure) -> Self {
        let failure = failure.cut();
        Self {
            ticket,
            plugin,
            code: failure.code.name().to_owned(),
            message: failure.message,
            function: failure.function,
            exit_code: failure.exit_code,
            backtrace: failure.backtrace,
            cause: failure.cause,
        }
    }
}
