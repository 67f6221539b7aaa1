//! Wrappers of the functions that open and close files.
//!
//! `wasmtime-wasi` opens without `O_NONBLOCK`, so that opening a FIFO blocks a thread until another
//! process opens the other end, and dropping the future does not free the thread. Therefore the
//! type is looked up first: FIFOs, sockets and devices are refused with EACCES.

use wasmtime::Result;
use wasmtime_wasi::p1::types::{Errno, Filetype, Lookupflags};
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as preview1, WasiSnapshotPreview1};
use wiggle::{GuestMemory, GuestPtr};

use super::Wasi;

/// The number of files that an instance may have open. The limit of the system is shared by the
/// whole process.
const MAX_FILES: usize = 256;
/// The longest path of `path_unlink_file`, far beyond what systems accept.
const MAX_PATH_BYTES: u32 = 64 << 10;

#[expect(
    clippy::too_many_arguments,
    reason = "the signature of the WASI function"
)]
pub async fn open(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    lookup: i32,
    path: i32,
    length: i32,
    how: i32,
    rights: i64,
    inherited: i64,
    flags: i32,
    opened: i32,
) -> Result<i32> {
    if wasi.opened.len() >= MAX_FILES {
        return Ok(Errno::Mfile as i32);
    }
    if let Some(error) = refusal(wasi, memory, fd, lookup, path, length).await? {
        return Ok(error as i32);
    }
    let error = preview1::path_open(
        &mut wasi.ctx,
        memory,
        fd,
        lookup,
        path,
        length,
        how,
        rights,
        inherited,
        flags,
        opened,
    )
    .await?;
    if error == SUCCESS {
        let fd = memory.read(GuestPtr::<u32>::new(opened as u32))?;
        wasi.opened.insert(fd);
    }
    Ok(error)
}

/// Wrapped because `wasmtime-wasi` opens the file for writing where it follows links.
#[expect(
    clippy::too_many_arguments,
    reason = "the signature of the WASI function"
)]
pub async fn set_times(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    lookup: i32,
    path: i32,
    length: i32,
    accessed: i64,
    modified: i64,
    which: i32,
) -> Result<i32> {
    if let Some(error) = refusal(wasi, memory, fd, lookup, path, length).await? {
        return Ok(error as i32);
    }
    preview1::path_filestat_set_times(
        &mut wasi.ctx,
        memory,
        fd,
        lookup,
        path,
        length,
        accessed,
        modified,
        which,
    )
    .await
}

/// Wrapped because it is the one function that copies a path without a check of the fuel.
pub async fn unlink(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    path: i32,
    length: i32,
) -> Result<i32> {
    if length as u32 > MAX_PATH_BYTES {
        return Ok(Errno::Nametoolong as i32);
    }
    preview1::path_unlink_file(&mut wasi.ctx, memory, fd, path, length).await
}

pub async fn close(wasi: &mut Wasi, memory: &mut GuestMemory<'_>, fd: i32) -> Result<i32> {
    let error = preview1::fd_close(&mut wasi.ctx, memory, fd).await?;
    if error == SUCCESS {
        wasi.opened.remove(&(fd as u32));
    }
    Ok(error)
}

/// Moves a descriptor to another number, and closes the descriptor that had it.
pub async fn renumber(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    from: i32,
    to: i32,
) -> Result<i32> {
    let error = preview1::fd_renumber(&mut wasi.ctx, memory, from, to).await?;
    if error == SUCCESS && from != to {
        wasi.opened.remove(&(to as u32));
        if wasi.opened.remove(&(from as u32)) {
            wasi.opened.insert(to as u32);
        }
    }
    Ok(error)
}

const SUCCESS: i32 = Errno::Success as i32;

/// The error that a path has to be refused with, unless it is safe to open.
///
/// The look and the opening are two steps. Guests cannot create FIFOs, but where an allowed
/// directory has one, an instance could rename it to the name of a file between the two steps of
/// another instance, whose call then hangs.
async fn refusal(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    lookup: i32,
    path: i32,
    length: i32,
) -> Result<Option<Errno>> {
    let Ok(lookup) = Lookupflags::try_from(lookup) else {
        return Ok(Some(Errno::Inval));
    };
    let path = GuestPtr::<str>::new((path as u32, length as u32));
    let looked = wasi
        .ctx
        .path_filestat_get(memory, fd.into(), lookup, path)
        .await;
    match looked {
        Ok(found) => Ok(match found.filetype {
            // A link is only found where links are not followed. Opening it fails at once.
            Filetype::RegularFile | Filetype::Directory | Filetype::SymbolicLink => None,
            _ => Some(Errno::Acces),
        }),
        Err(error) => Ok(match error.downcast()? {
            // A missing file may be created; a bad descriptor fails again, at once.
            Errno::Noent | Errno::Badf => None,
            // A file of unknown type is not opened.
            error => Some(error),
        }),
    }
}
