//! A failure, as the JavaScript side gets it, which makes the error for it.

use extism_host::error::Failure;

/// Why an operation failed.
#[napi(object, object_from_js = false)]
pub struct Rejection {
    pub code: String,
    pub message: String,
    pub function: Option<String>,
    pub exit_code: Option<i32>,
    /// Where the guest was.
    pub backtrace: Option<String>,
    /// The number of the JavaScript error behind it.
    pub cause: Option<u32>,
}

impl From<Failure> for Rejection {
    fn from(failure: Failure) -> Self {
        let failure = failure.cut();
        Self {
            code: failure.code.name().to_owned(),
            message: failure.message,
            function: failure.function,
            exit_code: failure.exit_code,
            backtrace: failure.backtrace,
            cause: failure.cause,
        }
    }
}
