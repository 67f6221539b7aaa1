//! Wrappers of the functions that copy bytes from or to a guest, so that none holds the thread for
//! more than a fraction of a millisecond.
//!
//! `wasmtime-wasi` serves the first buffer that is not empty, and copies it whole. For files, a
//! large buffer is replaced by its first piece. The result is a short read or write, which every
//! libc repeats.

use wasmtime::Result;
use wasmtime_wasi::p1::types::Iovec;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as preview1;
use wiggle::{GuestMemory, GuestPtr};

use super::Wasi;
use super::functions::set_fuel;

/// The largest number of bytes that one call reads from or writes to a file.
pub const PIECE: usize = 1 << 20;
/// The number of random bytes between two yields. Generating is slower than copying.
const RANDOM_PIECE: u32 = 256 << 10;

pub async fn read(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    buffers: i32,
    count: i32,
    read: i32,
) -> Result<i32> {
    let Some(buffer) = large(memory, buffers, count)? else {
        return preview1::fd_read(&mut wasi.ctx, memory, fd, buffers, count, read).await;
    };
    let mut piece = Piece::new();
    piece.bytes.resize(HEAD + PIECE, 0);
    let error = preview1::fd_read(&mut wasi.ctx, &mut piece.memory(), fd, 0, 1, DONE).await?;
    if error == 0 {
        let done = piece.done()?;
        let bytes = &piece.bytes[HEAD..][..done as usize];
        memory.copy_from_slice(bytes, GuestPtr::<[u8]>::new((buffer, done)))?;
        memory.write(GuestPtr::new(read as u32), done)?;
    }
    Ok(error)
}

/// `wasmtime-wasi` itself reads at most 64 KiB here.
pub async fn read_at(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    buffers: i32,
    count: i32,
    offset: i64,
    read: i32,
) -> Result<i32> {
    set_fuel(wasi, usize::MAX);
    preview1::fd_pread(&mut wasi.ctx, memory, fd, buffers, count, offset, read).await
}

pub async fn write(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    buffers: i32,
    count: i32,
    written: i32,
) -> Result<i32> {
    if !wasi.opened.contains(&(fd as u32)) {
        return print(wasi, memory, fd, buffers, count, written).await;
    }
    let Some(buffer) = large(memory, buffers, count)? else {
        return preview1::fd_write(&mut wasi.ctx, memory, fd, buffers, count, written).await;
    };
    let mut piece = Piece::of(memory, buffer)?;
    let error = preview1::fd_write(&mut wasi.ctx, &mut piece.memory(), fd, 0, 1, DONE).await?;
    if error == 0 {
        memory.write(GuestPtr::new(written as u32), piece.done()?)?;
    }
    Ok(error)
}

pub async fn write_at(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    buffers: i32,
    count: i32,
    offset: i64,
    written: i32,
) -> Result<i32> {
    let ctx = &mut wasi.ctx;
    let Some(buffer) = large(memory, buffers, count)? else {
        return preview1::fd_pwrite(ctx, memory, fd, buffers, count, offset, written).await;
    };
    let mut piece = Piece::of(memory, buffer)?;
    let error = preview1::fd_pwrite(ctx, &mut piece.memory(), fd, 0, 1, offset, DONE).await?;
    if error == 0 {
        memory.write(GuestPtr::new(written as u32), piece.done()?)?;
    }
    Ok(error)
}

/// Writes to standard output or standard error. The buffer is not shortened, since `wasmtime-wasi`
/// writes it in pieces of 4 KiB, and the stream yields.
async fn print(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    buffers: i32,
    count: i32,
    written: i32,
) -> Result<i32> {
    set_fuel(wasi, usize::MAX);
    let before = wasi.printed();
    let error = preview1::fd_write(&mut wasi.ctx, memory, fd, buffers, count, written).await?;
    let printed = (wasi.printed() - before) as u32;
    if error == 0 || printed == 0 {
        return Ok(error);
    }
    // The output accepted a part.
    memory.write(GuestPtr::new(written as u32), printed)?;
    Ok(0)
}

pub async fn random(
    wasi: &mut Wasi,
    memory: &mut GuestMemory<'_>,
    buffer: i32,
    length: i32,
) -> Result<i32> {
    let (buffer, length) = (buffer as u32, length as u32);
    // Check the range before the first piece is written.
    memory.as_slice(GuestPtr::<[u8]>::new((buffer, length)))?;
    let mut done = 0;
    loop {
        let piece = (length - done).min(RANDOM_PIECE);
        let at = (buffer + done) as i32;
        let error = preview1::random_get(&mut wasi.ctx, memory, at, piece as i32)?;
        done += piece;
        if error != 0 || done == length {
            return Ok(error);
        }
        tokio::task::yield_now().await;
    }
}

/// The address of the first non-empty buffer, if it is larger than a piece.
fn large(memory: &GuestMemory<'_>, buffers: i32, count: i32) -> Result<Option<u32>> {
    for buffer in GuestPtr::<Iovec>::new(buffers as u32)
        .as_array(count as u32)
        .iter()
    {
        let Iovec { buf, buf_len } = memory.read(buffer?)?;
        if buf_len == 0 {
            continue;
        }
        if buf_len as usize <= PIECE {
            return Ok(None);
        }
        // The whole buffer has to be in bounds, also the part that is not used.
        memory.as_slice(buf.as_array(buf_len))?;
        return Ok(Some(buf.offset()));
    }
    Ok(None)
}

/// The address in a piece of the number of bytes read or written.
const DONE: i32 = 8;
/// The address in a piece of its bytes, after the buffer's address and length, and `DONE`.
const HEAD: usize = 12;

/// A guest memory that only has one buffer of at most [`PIECE`] bytes. The numbers in it have to be
/// aligned; allocators align blocks of this size to 16 bytes.
struct Piece {
    bytes: Vec<u8>,
}

impl Piece {
    fn new() -> Self {
        let mut bytes = Vec::with_capacity(HEAD + PIECE);
        bytes.extend_from_slice(&(HEAD as u32).to_le_bytes());
        bytes.extend_from_slice(&(PIECE as u32).to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        Self { bytes }
    }

    /// A piece with the first bytes of a guest's buffer.
    fn of(memory: &GuestMemory<'_>, buffer: u32) -> Result<Self> {
        let mut piece = Self::new();
        let bytes = memory.as_cow(GuestPtr::<[u8]>::new((buffer, PIECE as u32)))?;
        piece.bytes.extend_from_slice(&bytes);
        Ok(piece)
    }

    fn memory(&mut self) -> GuestMemory<'_> {
        GuestMemory::Unshared(&mut self.bytes)
    }

    /// The number of bytes read or written.
    fn done(&mut self) -> Result<u32> {
        Ok(self.memory().read(GuestPtr::new(DONE as u32))?)
    }
}
