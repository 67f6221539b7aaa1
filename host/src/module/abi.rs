//! The namespaces that the host has, and the functions in them.

use wasmparser::ValType::{self, I32, I64};

use super::Types;

/// The namespace of the host's services in the ABI of Extism 1.x.
pub const ENV: &str = "extism:host/env";
/// The namespace of host functions in the ABI of Extism 1.x.
pub const USER: &str = "extism:host/user";
/// The namespace of both in the ABI of Extism 0.x; services have [`LEGACY_PREFIX`] there.
pub const LEGACY: &str = "env";
pub const LEGACY_PREFIX: &str = "extism_";
pub const WASI: &str = "wasi_snapshot_preview1";

/// The name of the plugin's own module.
pub const MAIN: &str = "main";
/// The function that makes a module a command: it runs once, and then the instance is used up.
pub const START: &str = "_start";
/// The function that prepares any other module for calls.
pub const INITIALIZE: &str = "_initialize";

/// The namespaces of host functions. A manifest module of such a name provides what no host
/// function does.
pub fn is_user(namespace: &str) -> bool {
    namespace == USER || namespace == LEGACY
}

/// Whether a manifest module cannot have this name.
pub fn is_reserved(name: &str) -> bool {
    (name.starts_with("extism:") && name != USER) || name.starts_with("wasi")
}

/// The service that an import from this namespace asks for, and whether it has its legacy name.
pub fn service(namespace: &str, name: &str) -> Option<(&'static Service, bool)> {
    let (name, legacy) = match namespace {
        ENV => (name, false),
        LEGACY => (name.strip_prefix(LEGACY_PREFIX)?, true),
        _ => return None,
    };
    let found = ENVIRONMENT.iter().find(|service| service.0 == name);
    found.map(|service| (service, legacy))
}

/// The type of a function of WASI.
pub fn wasi(name: &str) -> Option<Types> {
    let (name, params) = WASI_FUNCTIONS.iter().find(|function| function.0 == name)?;
    let results: &[_] = if *name == "proc_exit" { &[] } else { &[I32] };
    Some(Types::new(params, results))
}

/// A function of the environment: its name, parameters and results.
pub type Service = (&'static str, &'static [ValType], &'static [ValType]);

/// Everything that a plugin may import from [`ENV`].
pub const ENVIRONMENT: &[Service] = &[
    ("alloc", &[I64], &[I64]),
    ("free", &[I64], &[]),
    ("length", &[I64], &[I64]),
    ("length_unsafe", &[I64], &[I64]),
    ("load_u8", &[I64], &[I32]),
    ("load_u64", &[I64], &[I64]),
    ("store_u8", &[I64, I32], &[]),
    ("store_u64", &[I64, I64], &[]),
    ("input_offset", &[], &[I64]),
    ("input_length", &[], &[I64]),
    ("input_load_u8", &[I64], &[I32]),
    ("input_load_u64", &[I64], &[I64]),
    ("output_set", &[I64, I64], &[]),
    ("error_set", &[I64], &[]),
    ("error_get", &[], &[I64]),
    ("config_get", &[I64], &[I64]),
    ("var_get", &[I64], &[I64]),
    ("var_set", &[I64, I64], &[]),
    ("http_request", &[I64, I64], &[I64]),
    ("http_status_code", &[], &[I32]),
    ("http_headers", &[], &[I64]),
    ("log_trace", &[I64], &[]),
    ("log_debug", &[I64], &[]),
    ("log_info", &[I64], &[]),
    ("log_warn", &[I64], &[]),
    ("log_error", &[I64], &[]),
    ("get_log_level", &[], &[I32]),
];

/// The functions of WASI preview 1, with their parameters. Each returns an `i32`, but for
/// `proc_exit`, which does not return.
pub const WASI_FUNCTIONS: &[(&str, &[ValType])] = &[
    ("args_get", &[I32, I32]),
    ("args_sizes_get", &[I32, I32]),
    ("clock_res_get", &[I32, I32]),
    ("clock_time_get", &[I32, I64, I32]),
    ("environ_get", &[I32, I32]),
    ("environ_sizes_get", &[I32, I32]),
    ("fd_advise", &[I32, I64, I64, I32]),
    ("fd_allocate", &[I32, I64, I64]),
    ("fd_close", &[I32]),
    ("fd_datasync", &[I32]),
    ("fd_fdstat_get", &[I32, I32]),
    ("fd_fdstat_set_flags", &[I32, I32]),
    ("fd_fdstat_set_rights", &[I32, I64, I64]),
    ("fd_filestat_get", &[I32, I32]),
    ("fd_filestat_set_size", &[I32, I64]),
    ("fd_filestat_set_times", &[I32, I64, I64, I32]),
    ("fd_pread", &[I32, I32, I32, I64, I32]),
    ("fd_prestat_dir_name", &[I32, I32, I32]),
    ("fd_prestat_get", &[I32, I32]),
    ("fd_pwrite", &[I32, I32, I32, I64, I32]),
    ("fd_read", &[I32, I32, I32, I32]),
    ("fd_readdir", &[I32, I32, I32, I64, I32]),
    ("fd_renumber", &[I32, I32]),
    ("fd_seek", &[I32, I64, I32, I32]),
    ("fd_sync", &[I32]),
    ("fd_tell", &[I32, I32]),
    ("fd_write", &[I32, I32, I32, I32]),
    ("path_create_directory", &[I32, I32, I32]),
    ("path_filestat_get", &[I32, I32, I32, I32, I32]),
    (
        "path_filestat_set_times",
        &[I32, I32, I32, I32, I64, I64, I32],
    ),
    ("path_link", &[I32, I32, I32, I32, I32, I32, I32]),
    ("path_open", &[I32, I32, I32, I32, I32, I64, I64, I32, I32]),
    ("path_readlink", &[I32, I32, I32, I32, I32, I32]),
    ("path_remove_directory", &[I32, I32, I32]),
    ("path_rename", &[I32, I32, I32, I32, I32, I32]),
    ("path_symlink", &[I32, I32, I32, I32, I32]),
    ("path_unlink_file", &[I32, I32, I32]),
    ("poll_oneoff", &[I32, I32, I32, I32]),
    ("proc_exit", &[I32]),
    ("proc_raise", &[I32]),
    ("random_get", &[I32, I32]),
    ("sched_yield", &[]),
    ("sock_accept", &[I32, I32, I32]),
    ("sock_recv", &[I32, I32, I32, I32, I32, I32]),
    ("sock_send", &[I32, I32, I32, I32, I32]),
    ("sock_shutdown", &[I32, I32]),
];
