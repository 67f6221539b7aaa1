//! The namespaces of imports: whose they are, and who may use them.

use wasmparser::ValType::{self, I32, I64};

/// Where today's guests find the kernel and the host's services.
pub const ENV: &str = "extism:host/env";
/// Where today's guests find host functions.
pub const USER: &str = "extism:host/user";
/// Where guests of 2023 find both; the kernel's names carry [`LEGACY_PREFIX`] there.
pub const LEGACY: &str = "env";
pub const LEGACY_PREFIX: &str = "extism_";
pub const WASI: &str = "wasi_snapshot_preview1";

/// The functions of WASI.
pub const WASI_FUNCTIONS: &[&str] = &[
    "args_get",
    "args_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_advise",
    "fd_allocate",
    "fd_close",
    "fd_datasync",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_fdstat_set_rights",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pread",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_pwrite",
    "fd_read",
    "fd_readdir",
    "fd_renumber",
    "fd_seek",
    "fd_sync",
    "fd_tell",
    "fd_write",
    "path_create_directory",
    "path_filestat_get",
    "path_filestat_set_times",
    "path_link",
    "path_open",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "poll_oneoff",
    "proc_exit",
    "proc_raise",
    "random_get",
    "sched_yield",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];

/// Nothing of a user's may be in a namespace that starts with this.
pub const OWN: &str = "extism-napi:";
pub const GUARD: &str = "extism-napi:guard";
/// What the driver and the guard ask of the host.
pub const HOST: &str = "extism-napi:host";
/// Host functions, by number.
pub const FUNCTION: &str = "extism-napi:function";
/// The main module: the runtime's own name for it belongs to the driver.
pub const GUEST: &str = "extism-napi:guest";
/// The name that the runtime gives to the module whose exports it calls.
pub const MAIN: &str = "main";

/// Exports that would make the linker run code, or instantiate a module once per call.
pub const START: &str = "extism-napi:start";
/// What a command exports to be run.
pub const START_COMMAND: &str = "_start";
pub const RESERVED_EXPORTS: [(&str, &str); 2] = [
    (START_COMMAND, "extism-napi:_start"),
    ("_initialize", "extism-napi:_initialize"),
];

/// Who answers an import from the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// It cannot change memory: the kernel, at no extra cost.
    Kernel,
    Guard,
    Host,
}

/// Everything a guest may import from the environment. The kernel has more, which would let
/// a guest reset or read what is not its own.
pub const ENVIRONMENT: &[(&str, Provider, &[ValType], &[ValType])] = &[
    ("alloc", Provider::Guard, &[I64], &[I64]),
    ("free", Provider::Guard, &[I64], &[]),
    ("length", Provider::Guard, &[I64], &[I64]),
    ("length_unsafe", Provider::Guard, &[I64], &[I64]),
    ("load_u8", Provider::Kernel, &[I64], &[I32]),
    ("load_u64", Provider::Kernel, &[I64], &[I64]),
    ("store_u8", Provider::Guard, &[I64, I32], &[]),
    ("store_u64", Provider::Guard, &[I64, I64], &[]),
    ("input_offset", Provider::Kernel, &[], &[I64]),
    ("input_length", Provider::Kernel, &[], &[I64]),
    ("input_load_u8", Provider::Kernel, &[I64], &[I32]),
    ("input_load_u64", Provider::Kernel, &[I64], &[I64]),
    ("output_set", Provider::Guard, &[I64, I64], &[]),
    ("error_set", Provider::Guard, &[I64], &[]),
    ("error_get", Provider::Guard, &[], &[I64]),
    ("config_get", Provider::Guard, &[I64], &[I64]),
    ("var_get", Provider::Guard, &[I64], &[I64]),
    ("var_set", Provider::Guard, &[I64, I64], &[]),
    ("http_request", Provider::Guard, &[I64, I64], &[I64]),
    ("http_status_code", Provider::Host, &[], &[I32]),
    ("http_headers", Provider::Guard, &[], &[I64]),
    ("log_trace", Provider::Guard, &[I64], &[]),
    ("log_debug", Provider::Guard, &[I64], &[]),
    ("log_info", Provider::Guard, &[I64], &[]),
    ("log_warn", Provider::Guard, &[I64], &[]),
    ("log_error", Provider::Guard, &[I64], &[]),
    ("get_log_level", Provider::Host, &[], &[I32]),
];

impl Provider {
    pub fn namespace(self) -> &'static str {
        match self {
            Provider::Kernel => ENV,
            Provider::Guard => GUARD,
            Provider::Host => HOST,
        }
    }
}
