//! Why something failed, in terms a caller can branch on.

use std::fmt;

/// The stable codes of an `ExtismError`, beside those that the JavaScript side has of its own.
/// A code is never reused for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// Bytes that are not a WebAssembly module this runtime can run.
    Module,
    /// Modules and host functions that do not fit together.
    Link,
    /// An instance could not be made of modules that fit together.
    Instance,
    /// Compiling a module takes more time or memory than it may.
    CompileLimit,
    /// The process that compiles a module cannot be started, or ended before it was done.
    CompileProcess,
    /// The guest reported an error of its own.
    Guest,
    /// The guest returned, or exited with, a code other than 0.
    Exit,
    /// The guest trapped.
    Trap,
    /// The guest handed over a block or an address that is not its own.
    Memory,
    /// A memory limit was reached.
    OutOfMemory,
    /// The call used up its fuel.
    Fuel,
    /// The call took longer than it may.
    Timeout,
    /// The call was cancelled.
    Cancelled,
    /// More calls were waiting than may.
    QueueFull,
    /// The call waited longer than it may.
    QueueTimeout,
    /// A host function called its own plugin, which had no free instance.
    Reentrant,
    /// A synchronous call came while every instance was running another one.
    Busy,
    /// A host function failed.
    HostFunction,
    /// The plugin, or its context, is closed.
    Closed,
    /// Used after the host function it belongs to has returned.
    Stale,
    /// The process no longer passes the signals of traps on to the runtime.
    Signal,
    /// A defect of this package.
    Internal,
}

impl Code {
    pub fn name(self) -> &'static str {
        match self {
            Code::Module => "ERR_EXTISM_MODULE",
            Code::Link => "ERR_EXTISM_LINK",
            Code::Instance => "ERR_EXTISM_INSTANCE",
            Code::CompileLimit => "ERR_EXTISM_COMPILE_LIMIT",
            Code::CompileProcess => "ERR_EXTISM_COMPILE_PROCESS",
            Code::Guest => "ERR_EXTISM_GUEST",
            Code::Exit => "ERR_EXTISM_EXIT",
            Code::Trap => "ERR_EXTISM_TRAP",
            Code::Memory => "ERR_EXTISM_MEMORY",
            Code::OutOfMemory => "ERR_EXTISM_OUT_OF_MEMORY",
            Code::Fuel => "ERR_EXTISM_FUEL",
            Code::Timeout => "ERR_EXTISM_TIMEOUT",
            Code::Cancelled => "ERR_EXTISM_CANCELLED",
            Code::QueueFull => "ERR_EXTISM_QUEUE_FULL",
            Code::QueueTimeout => "ERR_EXTISM_QUEUE_TIMEOUT",
            Code::Reentrant => "ERR_EXTISM_REENTRANT",
            Code::Busy => "ERR_EXTISM_BUSY",
            Code::HostFunction => "ERR_EXTISM_HOST_FUNCTION",
            Code::Closed => "ERR_EXTISM_CLOSED",
            Code::Stale => "ERR_EXTISM_STALE",
            Code::Signal => "ERR_EXTISM_SIGNAL",
            Code::Internal => "ERR_EXTISM_INTERNAL",
        }
    }
}

/// A failure on its way to the caller.
#[derive(Clone, Debug)]
pub struct Failure {
    pub code: Code,
    pub message: String,
    /// The guest's function that was called.
    pub function: Option<String>,
    /// Where the guest was.
    pub backtrace: Option<String>,
    /// The guest's return or exit code, where there is one.
    pub exit_code: Option<i32>,
    /// Which error of the caller's own is behind this one. The caller numbered it and keeps it.
    pub cause: Option<u32>,
}

/// A longer message quotes something that nobody reads to the end. V8 has no text of any length.
pub const MAX_MESSAGE_BYTES: usize = 64 << 10;

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            function: None,
            backtrace: None,
            exit_code: None,
            cause: None,
        }
    }

    pub fn with_exit_code(mut self, exit_code: i32) -> Self {
        self.exit_code = Some(exit_code);
        self
    }

    /// The same with a message that is no longer than messages can be.
    pub fn cut(mut self) -> Self {
        let end = self.message.floor_char_boundary(MAX_MESSAGE_BYTES);
        self.message.truncate(end);
        self
    }

    pub fn in_function(mut self, name: &str) -> Self {
        self.function = Some(name.to_owned());
        self
    }

    pub fn in_host_function(mut self, name: &str) -> Self {
        self.message = format!("host function \"{name}\": {}", self.message);
        self
    }

    pub fn caused_by(mut self, cause: u32) -> Self {
        self.cause = Some(cause);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
