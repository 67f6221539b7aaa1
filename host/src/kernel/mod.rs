//! What Extism guests know as `extism:host/env`: a memory of blocks that guest and host share.
//!
//! Loads and stores of a guest are functions of a small module (`kernel.wat`) which touch the
//! memory directly. The table of blocks, the input, the output and the error are here, out of the
//! guest's reach.

mod blocks;
mod services;

use wasmtime::{AsContext, AsContextMut, Instance, Memory};

use self::blocks::{Blocks, FIRST};
use crate::bytes;
use crate::error::{Code, Failure};
use crate::instance::InstanceState;

pub use services::add_to_linker;

/// The text of the module.
pub const KERNEL: &str = include_str!("kernel.wat");

/// Functions of `extism:host/env` that the kernel's module has.
pub const EXPORTS: [&str; 9] = [
    "alloc",
    "load_u8",
    "load_u64",
    "store_u8",
    "store_u64",
    "input_offset",
    "input_length",
    "input_load_u8",
    "input_load_u64",
];

/// More can be declared by no memory; a guest that asks for it gets 0.
const MAX_BLOCK_BYTES: u64 = 0xfff0_0000;
const PAGE: u64 = 1 << 16;
/// Words at the beginning of the memory, see `kernel.wat`: two blocks that were found, the
/// input, and what all blocks span.
const FOUND: usize = 6;
const INPUT: usize = 6;
const SPAN: usize = 8;
const WORDS: usize = 10;

/// A store's kernel.
#[derive(Default)]
pub struct Kernel {
    /// `None` until the kernel's module is instantiated.
    memory: Option<Memory>,
    blocks: Blocks,
    /// Where what was ever used ends. Behind it there are only zeros.
    used: u64,
    /// Start and length of what the guest has made its output.
    output: Option<(u64, u64)>,
    /// The address that the guest has set as its error, and the text that was there.
    error: (u64, Option<String>),
}

impl Kernel {
    pub fn set_instance(store: &mut impl AsContextMut<Data = InstanceState>, instance: &Instance) {
        let memory = instance.get_memory(store.as_context_mut(), "memory");
        store.as_context_mut().data_mut().kernel.memory = memory;
    }

    pub fn take_error(&mut self) -> Option<String> {
        self.error.1.take()
    }

    pub fn set_error(&mut self, text: Option<String>) {
        self.error.1 = text;
    }

    pub fn output(&self) -> Option<(u64, u64)> {
        self.output
    }
}

/// Starts a call with no blocks but one for the input.
pub fn begin(
    store: &mut impl AsContextMut<Data = InstanceState>,
    input: &[u8],
) -> Result<(), Failure> {
    let mut context = store.as_context_mut();
    let kernel = &mut context.data_mut().kernel;
    kernel.blocks.clear();
    kernel.output = None;
    kernel.error = (0, None);
    put_words(&mut context, 0, &[0; WORDS])?;
    if !input.is_empty() {
        let length = input.len() as u64;
        let start = place(&mut context, length).map_err(|_| {
            let message = format!("no memory for an input of {length} bytes");
            Failure::new(Code::OutOfMemory, message)
        })?;
        range(&mut context, start, length)?.copy_from_slice(input);
        put_words(&mut context, INPUT, &[start, length])?;
    }
    Ok(())
}

/// Sets words at the beginning of the memory.
fn put_words(
    store: &mut impl AsContextMut<Data = InstanceState>,
    first: usize,
    words: &[u64],
) -> Result<(), Failure> {
    let target = range(store, (first * 8) as u64, (words.len() * 8) as u64)?;
    for (place, word) in target.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    Ok(())
}

/// A new block of zeros.
pub fn alloc(
    store: &mut impl AsContextMut<Data = InstanceState>,
    length: u64,
) -> Result<u64, Failure> {
    let start = place(store, length)?;
    range(store, start, length)?.fill(0);
    Ok(start)
}

/// A new block, whose contents may be what another one has left.
fn place(store: &mut impl AsContextMut<Data = InstanceState>, length: u64) -> Result<u64, Failure> {
    let mut context = store.as_context_mut();
    if length > MAX_BLOCK_BYTES {
        let message = format!("a block of {length} bytes is more than there can be");
        return Err(Failure::new(Code::OutOfMemory, message));
    }
    if let Err(message) = exceeds(&context, length) {
        return Err(Failure::new(Code::OutOfMemory, message));
    }
    let memory = memory(&context)?;
    let size = memory.data_size(&context) as u64;
    let blocks = &mut context.data_mut().kernel.blocks;
    if let Some(start) = blocks.reuse(length) {
        return Ok(start);
    }
    if blocks.end_of_next(length) > size {
        if blocks.reclaim() {
            let reused = blocks.reuse(length);
            forget_found(&mut context)?;
            if let Some(start) = reused {
                return Ok(start);
            }
        }
        let blocks = &context.data().kernel.blocks;
        let missing = (blocks.end_of_next(length) - size).div_ceil(PAGE);
        let refused = |why: &dyn std::fmt::Display| {
            let message = format!("no block of {length} bytes to be had: {why}");
            Failure::new(Code::OutOfMemory, message)
        };
        memory
            .grow(&mut context, missing)
            .map_err(|error| refused(&error.root_cause()))?;
    }
    let kernel = &mut context.data_mut().kernel;
    let start = kernel.blocks.push(length).ok_or_else(|| {
        let message = format!("no block of {length} bytes to be had: all addresses are taken");
        Failure::new(Code::OutOfMemory, message)
    })?;
    let (top, used) = (kernel.blocks.top(), kernel.used);
    kernel.used = used.max(top);
    // What is between the blocks is zero, too.
    let end = top.min(used).min(memory.data_size(&context) as u64);
    let gap = start + length;
    if gap < end {
        range(&mut context, gap, end - gap)?.fill(0);
    }
    let span = top - FIRST;
    put_words(&mut context, SPAN, &[span, span.saturating_sub(7)])?;
    Ok(start)
}

/// The kernel's module looks the next block up, since one that it found may be gone.
fn forget_found(store: &mut impl AsContextMut<Data = InstanceState>) -> Result<(), Failure> {
    put_words(store, 0, &[0; FOUND])
}

/// A new block with these bytes. One of none is a block, too: guests take the address 0 for
/// nothing at all.
pub fn store_bytes(
    store: &mut impl AsContextMut<Data = InstanceState>,
    bytes: &[u8],
) -> Result<u64, Failure> {
    let start = place(store, bytes.len() as u64)?;
    range(store, start, bytes.len() as u64)?.copy_from_slice(bytes);
    Ok(start)
}

/// The length of the block that starts at `start`, if one does.
pub fn length(store: &mut impl AsContextMut<Data = InstanceState>, start: u64) -> Option<u64> {
    let mut context = store.as_context_mut();
    context.data_mut().kernel.blocks.length(start)
}

/// The bytes of the block that starts at `start`, if one does.
pub fn read(store: &mut impl AsContextMut<Data = InstanceState>, start: u64) -> Option<&mut [u8]> {
    let length = length(store, start)?;
    bytes_at(store, start, length)
}

/// Replaces the first bytes of a block, if there is one; what does not fit is refused.
pub fn write(
    store: &mut impl AsContextMut<Data = InstanceState>,
    start: u64,
    bytes: &[u8],
) -> Result<(), Failure> {
    let Some(block) = read(store, start) else {
        return Ok(());
    };
    let length = block.len();
    let Some(target) = block.get_mut(..bytes.len()) else {
        let bytes = bytes.len();
        let message = format!("{bytes} bytes do not fit the block of {length} at {start}");
        return Err(Failure::new(Code::Memory, message));
    };
    target.copy_from_slice(bytes);
    Ok(())
}

/// Gives a block back; anything that is not one is left alone.
pub fn free(store: &mut impl AsContextMut<Data = InstanceState>, start: u64) {
    let mut context = store.as_context_mut();
    if context.data_mut().kernel.blocks.free(start) {
        // There is a kernel, since there was a block.
        let _ = forget_found(&mut context);
    }
}

/// The host had this block, which belongs to it: its memory may be used again when it is needed.
pub fn release(store: &mut impl AsContextMut<Data = InstanceState>, start: u64) {
    let mut context = store.as_context_mut();
    context.data_mut().kernel.blocks.release(start);
}

/// A copy of what the guest has made its output.
pub fn take_output(
    store: &mut impl AsContextMut<Data = InstanceState>,
) -> Result<Option<Vec<u8>>, Failure> {
    let mut context = store.as_context_mut();
    let Some((start, length)) = context.data().kernel.output else {
        return Ok(None);
    };
    bytes::copy(range(&mut context, start, length)?).map(Some)
}

/// Why so many bytes more are more than blocks may have together, if they are.
fn exceeds(store: &impl AsContext<Data = InstanceState>, length: u64) -> Result<(), String> {
    let context = store.as_context();
    let state = context.data();
    let Some(max) = state.block_pages() else {
        return Ok(());
    };
    let pages = (state.kernel.blocks.live_bytes() + length).div_ceil(PAGE);
    match pages > u64::from(max) {
        true => Err(format!(
            "memory limit exceeded: {pages} pages requested, {max} allowed"
        )),
        false => Ok(()),
    }
}

fn memory(store: &impl AsContext<Data = InstanceState>) -> Result<Memory, Failure> {
    let memory = store.as_context().data().kernel.memory;
    memory.ok_or_else(|| Failure::new(Code::Internal, "the instance has no kernel"))
}

/// Bytes of the memory; the table, or the kernel itself, says that they are there.
fn range(
    store: &mut impl AsContextMut<Data = InstanceState>,
    start: u64,
    length: u64,
) -> Result<&mut [u8], Failure> {
    bytes_at(store, start, length)
        .ok_or_else(|| Failure::new(Code::Internal, "a block lies outside of its memory"))
}

fn bytes_at(
    store: &mut impl AsContextMut<Data = InstanceState>,
    start: u64,
    length: u64,
) -> Option<&mut [u8]> {
    let memory = memory(store).ok()?;
    let start = usize::try_from(start).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    memory.data_mut(store.as_context_mut()).get_mut(start..end)
}
