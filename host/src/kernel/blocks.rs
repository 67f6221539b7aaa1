//! The table of a guest's blocks: where each begins and ends. A guest cannot reach it, and no
//! number of a guest's is believed before it was looked up here.

#[cfg(test)]
mod tests;

/// Where the first block starts; what is below belongs to the kernel.
pub const FIRST: u64 = 128;
/// Blocks start at multiples of this, with at least as much between them: a store just past the
/// end of a block is outside of every block.
const ALIGN: u64 = 8;
/// Addresses have 32 bits, and so have lengths.
const END: u64 = 1 << 32;
/// One list of free blocks for each power of two.
const CLASSES: usize = 33;
/// How many free blocks of a class that may be too small are looked at.
const TRIES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Live,
    /// The host had it: its bytes stay until the memory is needed.
    Released,
    Free,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    start: u32,
    length: u32,
    capacity: u32,
    status: Status,
    /// Whether `released` has its position. It stays there until the next reclaim, whatever becomes
    /// of the block.
    is_listed: bool,
}

/// Blocks in the order of their addresses.
#[derive(Debug)]
pub struct Blocks {
    blocks: Vec<Block>,
    /// Positions of free blocks, by the power of two that their capacity has at least.
    free: [Vec<u32>; CLASSES],
    /// Positions of blocks that the host had, oldest first. Some may be free by now.
    released: Vec<u32>,
    /// Whether anything is in these lists.
    listed: bool,
    /// Where the next block starts.
    top: u64,
    /// What live blocks have together, in bytes.
    live_bytes: u64,
    last_found: usize,
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            free: [const { Vec::new() }; CLASSES],
            released: Vec::new(),
            listed: false,
            top: FIRST,
            live_bytes: 0,
            last_found: 0,
        }
    }
}

impl Blocks {
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.listed) {
            self.free.iter_mut().for_each(Vec::clear);
            self.released.clear();
        }
        self.blocks.clear();
        self.top = FIRST;
        self.live_bytes = 0;
    }

    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// Where the last block ends, with what is between it and the next one.
    pub fn top(&self) -> u64 {
        self.top
    }

    /// Where a new block ends, if it follows the others.
    pub fn end_of_next(&self, length: u64) -> u64 {
        self.top.saturating_add(length)
    }

    /// A new block behind all others, whose end is within the memory.
    pub fn push(&mut self, length: u64) -> Option<u64> {
        let start = self.top;
        if start.saturating_add(length) > END {
            return None;
        }
        let capacity = (length.next_multiple_of(ALIGN)).min(END - start);
        self.blocks.push(Block {
            start: u32::try_from(start).ok()?,
            length: u32::try_from(length).ok()?,
            capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
            status: Status::Live,
            is_listed: false,
        });
        self.top = start + capacity + ALIGN;
        self.live_bytes += length;
        Some(start)
    }

    /// A free block that is large enough.
    pub fn reuse(&mut self, length: u64) -> Option<u64> {
        if !self.listed {
            return None;
        }
        let length = u32::try_from(length).ok()?;
        let exact = class(length);
        // Any block of the next class is large enough, some of this one are.
        let position = self.take(exact, length).or_else(|| {
            let larger = self
                .free
                .get(exact + 1..)?
                .iter()
                .position(|list| !list.is_empty())?;
            self.take(exact + 1 + larger, length)
        })?;
        let block = self.blocks.get_mut(position)?;
        block.length = length;
        block.status = Status::Live;
        self.live_bytes += u64::from(length);
        Some(u64::from(block.start))
    }

    fn take(&mut self, class: usize, length: u32) -> Option<usize> {
        let list = self.free.get_mut(class)?;
        let newest = list.iter().rev().take(TRIES);
        let fitting = newest.clone().position(|&position| {
            let block = self.blocks.get(position as usize);
            block.is_some_and(|block| block.capacity >= length)
        })?;
        let index = list.len() - 1 - fitting;
        Some(list.swap_remove(index) as usize)
    }

    /// Makes the blocks free that the host had. Whether there were any.
    pub fn reclaim(&mut self) -> bool {
        let released = std::mem::take(&mut self.released);
        let mut any = false;
        for position in released {
            let block = &mut self.blocks[position as usize];
            block.is_listed = false;
            if block.status == Status::Released {
                block.status = Status::Free;
                self.free[class(block.capacity)].push(position);
                any = true;
            }
        }
        any
    }

    /// The length of the block that starts here, if one does.
    pub fn length(&mut self, start: u64) -> Option<u64> {
        let block = self.at(start)?;
        Some(u64::from(self.blocks[block].length))
    }

    /// The start and the length of the block that has this address.
    pub fn find(&mut self, address: u64) -> Option<(u64, u64)> {
        let position = self
            .blocks
            .partition_point(|block| u64::from(block.start) <= address);
        let block = self.blocks.get(position.checked_sub(1)?)?;
        let (start, length) = (u64::from(block.start), u64::from(block.length));
        (block.status != Status::Free && address - start < length).then_some((start, length))
    }

    /// Gives a block back. Whether there was one.
    pub fn free(&mut self, start: u64) -> bool {
        let Some(position) = self.at(start) else {
            return false;
        };
        let block = &mut self.blocks[position];
        if block.status == Status::Live {
            self.live_bytes -= u64::from(block.length);
        }
        let (was, capacity, is_listed) = (block.status, block.capacity, block.is_listed);
        block.status = Status::Free;
        // The last block makes room for the next one, unless a list knows its position.
        if position + 1 == self.blocks.len() && was == Status::Live && !is_listed {
            self.top = start;
            self.blocks.pop();
        } else {
            self.free[class(capacity)].push(position as u32);
            self.listed = true;
        }
        true
    }

    /// The host had this block, and nobody may need it any longer.
    pub fn release(&mut self, start: u64) {
        let Some(position) = self.at(start) else {
            return;
        };
        let block = &mut self.blocks[position];
        if block.status == Status::Live {
            self.live_bytes -= u64::from(block.length);
            block.status = Status::Released;
            if !std::mem::replace(&mut block.is_listed, true) {
                self.released.push(position as u32);
            }
            self.listed = true;
        }
    }

    /// The position of the block that starts here and was not freed.
    fn at(&mut self, start: u64) -> Option<usize> {
        let is = |block: &Block| u64::from(block.start) == start && block.status != Status::Free;
        // Most questions are about the block found last, or made last.
        for position in [self.last_found, self.blocks.len().wrapping_sub(1)] {
            if self.blocks.get(position).is_some_and(is) {
                self.last_found = position;
                return Some(position);
            }
        }
        let start = u32::try_from(start).ok()?;
        let position = self
            .blocks
            .binary_search_by_key(&start, |block| block.start);
        let position = position
            .ok()
            .filter(|&position| is(&self.blocks[position]))?;
        self.last_found = position;
        Some(position)
    }
}

/// The largest power of two that a capacity has.
fn class(capacity: u32) -> usize {
    capacity.max(1).ilog2() as usize
}
