//! Adds WASI to a linker: the functions of `wasmtime-wasi`, some of them wrapped. A wrapper refuses
//! work that would hold the thread too long, or splits it.

use wasmtime::{Caller, Extern, Linker, Result, bail};
use wasmtime_wasi::p1;
use wasmtime_wasi::p1::types::Errno;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as preview1;
use wiggle::GuestMemory;

use super::{Exit, HOSTCALL_FUEL, Wasi, WasiView, files, transfers};
use crate::error::{Code, Failure};

const MODULE: &str = "wasi_snapshot_preview1";

/// The largest number of buffers of a read or write, the same as `IOV_MAX` of Linux, and of
/// subscriptions of a `poll_oneoff`, each of which takes about 2 µs to set up.
const MAX_COUNT: u32 = 1024;

/// Adds all functions of WASI preview 1. The linker does not allow shadowing afterwards.
pub fn add_to_linker<T: WasiView>(linker: &mut Linker<T>) -> Result<(), Failure> {
    let failed = |error: wasmtime::Error| {
        Failure::new(Code::Internal, format!("WASI cannot be linked: {error:#}"))
    };
    p1::add_to_linker_async(linker, |data| &mut data.wasi().ctx).map_err(failed)?;
    linker.allow_shadowing(true);
    let shadowed = shadow(linker);
    linker.allow_shadowing(false);
    shadowed.map_err(failed)
}

/// Defines functions of WASI as wrappers: async functions of the instance's state, the guest's
/// memory and the parameters. A parameter in brackets is a count that must not be too large.
macro_rules! define {
    ($linker:ident, $($name:literal ($($parameter:ident)+) $([$count:ident])? = $function:path,)+) => {
        $($linker.func_wrap_async(
            MODULE,
            $name,
            |mut caller: Caller<'_, T>, ($($parameter,)+)| {
                Box::new(async move {
                    $(if is_too_large($count) {
                        return Ok(Errno::Inval as i32);
                    })?
                    let (wasi, mut memory) = parts(&mut caller)?;
                    $function(wasi, &mut memory, $($parameter),+).await
                })
            },
        )?;)+
    };
}

fn shadow<T: WasiView>(linker: &mut Linker<T>) -> Result<()> {
    define!(linker,
        "path_open" (fd lookup path length how rights inherited flags opened) = files::open,
        "path_filestat_set_times" (fd lookup path length accessed modified which) = files::set_times,
        "path_unlink_file" (fd path length) = files::unlink,
        "fd_close" (fd) = files::close,
        "fd_renumber" (from to) = files::renumber,
        "fd_read" (fd buffers count read) [count] = transfers::read,
        "fd_pread" (fd buffers count offset read) [count] = transfers::read_at,
        "fd_write" (fd buffers count written) [count] = transfers::write,
        "fd_pwrite" (fd buffers count offset written) [count] = transfers::write_at,
        "random_get" (buffer length) = transfers::random,
        "poll_oneoff" (subscriptions events count ready) [count] = poll,
    );
    linker.func_wrap(MODULE, "proc_exit", |code: i32| -> Result<()> {
        Err(Exit(code).into())
    })?;
    Ok(())
}

async fn poll(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    subscriptions: i32,
    events: i32,
    count: i32,
    ready: i32,
) -> Result<i32> {
    preview1::poll_oneoff(&mut wasi.ctx, memory, subscriptions, events, count, ready).await
}

fn is_too_large(count: i32) -> bool {
    count as u32 > MAX_COUNT
}

/// The WASI state of the calling instance, and the memory that it exports.
fn parts<'a, T: WasiView>(
    caller: &'a mut Caller<'_, T>,
) -> Result<(&'a mut Wasi, GuestMemory<'a>)> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        // As wasmtime-wasi says it.
        bail!("missing required memory export");
    };
    let (bytes, data) = memory.data_and_store_mut(caller);
    let wasi = data.wasi();
    set_fuel(wasi, HOSTCALL_FUEL);
    Ok((wasi, GuestMemory::Unshared(bytes)))
}

/// Sets how many bytes may be copied until the next call of this function.
pub fn set_fuel(wasi: &mut Wasi, bytes: usize) {
    preview1::WasiSnapshotPreview1::set_hostcall_fuel(&mut wasi.ctx, bytes);
}
