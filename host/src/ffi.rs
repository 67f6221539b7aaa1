//! Calls that the compiler cannot check: into the system, and into wasmtime's unsafe functions.
//! The only module with `unsafe`.

use std::io;

use wasmtime::Module;

use crate::compiled::TrustedCode;

/// Loads code that was compiled before.
pub fn deserialize(engine: &wasmtime::Engine, code: &TrustedCode) -> wasmtime::Result<Module> {
    // SAFETY: the bytes are what `Engine::precompile_module` gave: either in this process, or in
    // one that stored them with a digest, which was computed again over these very bytes, in a
    // directory that only the user can write to. Nothing else makes a `TrustedCode`. The engine
    // itself checks that the code was compiled by the same version for the same configuration.
    unsafe { Module::deserialize(engine, code.bytes()) }
}

/// A limit below this leaves room for few memories that reserve 4 GiB each.
#[cfg(unix)]
const AMPLE_ADDRESS_SPACE: libc::rlim_t = 1 << 40;

/// Whether the process may use only a part of its address space (`ulimit -v`).
#[cfg(unix)]
pub fn is_address_space_limited() -> bool {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: the pointer is valid for writes of one `rlimit` during the call.
    let failed = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) } != 0;
    !failed && limit.rlim_cur < AMPLE_ADDRESS_SPACE
}

#[cfg(not(unix))]
pub fn is_address_space_limited() -> bool {
    false
}

/// The niceness of a thread that compiles.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NICENESS: libc::c_int = 10;

/// Lets other threads go before this one. On Linux alone a thread has a priority of its own.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn lower_priority() {
    // SAFETY: no memory is involved; 0 stands for the calling thread. Where it fails, the thread
    // keeps its priority.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) };
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn lower_priority() {}

/// The signals that tell wasmtime of traps, as `sys/unix/signals.rs` there lists them.
#[cfg(unix)]
const TRAP_SIGNALS: &[(&str, libc::c_int)] = &[
    ("SIGSEGV", libc::SIGSEGV),
    ("SIGILL", libc::SIGILL),
    #[cfg(any(target_arch = "x86_64", target_arch = "s390x"))]
    ("SIGFPE", libc::SIGFPE),
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    ("SIGBUS", libc::SIGBUS),
];

/// The addresses of handlers.
#[cfg(unix)]
pub struct SignalHandlers(Vec<Option<usize>>);

#[cfg(unix)]
pub fn signal_handlers() -> SignalHandlers {
    let handlers = TRAP_SIGNALS.iter().map(|(_, signal)| handler(*signal).ok());
    SignalHandlers(handlers.collect())
}

/// The name of a signal that has another handler now.
#[cfg(unix)]
pub fn replaced_signal(installed: &SignalHandlers) -> Option<&'static str> {
    let mut signals = TRAP_SIGNALS.iter().zip(&installed.0);
    signals
        .find(|((_, signal), installed)| handler(*signal).ok() != **installed)
        .map(|((name, _), _)| *name)
}

#[cfg(unix)]
fn handler(signal: libc::c_int) -> io::Result<usize> {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action nothing changes, and the pointer is valid for writes of one
    // `sigaction`.
    if unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so it has written the action.
    Ok(unsafe { action.assume_init() }.sa_sigaction)
}

#[cfg(not(unix))]
pub struct SignalHandlers;

#[cfg(not(unix))]
pub fn signal_handlers() -> SignalHandlers {
    SignalHandlers
}

#[cfg(not(unix))]
pub fn replaced_signal(_installed: &SignalHandlers) -> Option<&'static str> {
    None
}

#[cfg(test)]
pub mod tests {
    /// As a listener for the signal does that another library registers.
    pub fn ignore_illegal_instructions() {
        // SAFETY: to ignore a signal runs no code. Guests that trap are not run afterwards.
        unsafe { libc::signal(libc::SIGILL, libc::SIG_IGN) };
    }
}
