//! What one crossing carries: numbers and bytes in memory that both sides know, so that no object
//! is made for a call. `lib/mailbox.cjs` has the same layout.
//!
//! Slots of 8 bytes come first. Bytes start at [`DATA`], or behind the slots of a host call.

use extism_host::host_call::HostCall;
use extism_host::log::{Kind, Level, Message};
use napi::bindgen_prelude::Uint8Array;
use wasmtime::Val;

use super::raw;
use super::value;

/// Where the bytes of inputs, outputs and messages are.
pub const DATA: usize = 64;
/// The slot of the first input of a host call; each has four, its value, its type, and where its
/// block is and how long. The types of the results follow, then the blocks.
const INPUTS: usize = 8;
const SLOTS_OF_INPUT: usize = 4;
/// Nothing is there.
const NONE: f64 = -1.0;

pub struct Mailbox(Uint8Array);

impl Mailbox {
    pub fn new(array: Uint8Array) -> Self {
        Self(array)
    }

    fn bytes(&mut self) -> &mut [u8] {
        raw::shared(&mut self.0)
    }

    fn put(&mut self, slot: usize, number: f64) {
        self.put_bits(slot, number.to_bits());
    }

    fn put_bits(&mut self, slot: usize, bits: u64) {
        if let Some(place) = self.bytes().get_mut(slot * 8..slot * 8 + 8) {
            place.copy_from_slice(&bits.to_le_bytes());
        }
    }

    pub fn number(&mut self, slot: usize) -> f64 {
        f64::from_bits(self.bits(slot))
    }

    pub fn bits(&mut self, slot: usize) -> u64 {
        let place = self.bytes().get(slot * 8..slot * 8 + 8);
        let bits = place.and_then(|place| place.try_into().ok());
        bits.map_or(0, u64::from_le_bytes)
    }

    /// Bytes that JavaScript has put there.
    pub fn take(&mut self, start: usize, length: usize) -> Vec<u8> {
        let end = start.saturating_add(length);
        let bytes = self.bytes().get(start..end);
        bytes.map(<[u8]>::to_vec).unwrap_or_default()
    }

    /// Puts bytes there. Whether there is room.
    fn put_bytes(&mut self, start: usize, bytes: &[u8]) -> bool {
        let place = self.bytes().get_mut(start..start + bytes.len());
        match place {
            Some(place) => {
                place.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    /// An operation and its output: whether the output has room here.
    pub fn put_output(&mut self, operation: u64, output: &[u8]) -> bool {
        self.put(0, operation as f64);
        self.put(1, output.len() as f64);
        self.put_bytes(DATA, output)
    }

    pub fn put_id(&mut self, id: f64) {
        self.put(0, id);
    }

    /// A message. There is room for it: the host cuts what is logged at 64 KiB, which replaced
    /// characters can make three times as long, and prints in pieces of 4 KiB.
    pub fn put_message(&mut self, message: &Message) {
        let kind = match message.kind {
            Kind::Log(level) => level as u32,
            Kind::Stdout => Level::Silent as u32 + 1,
            Kind::Stderr => Level::Silent as u32 + 2,
        };
        self.put(0, message.call as f64);
        self.put(1, message.plugin.into());
        self.put(2, kind.into());
        let length = match self.put_bytes(DATA, &message.bytes) {
            true => message.bytes.len(),
            false => 0,
        };
        self.put(3, length as f64);
    }

    /// A host call of a plugin. A block that has no room here is asked for when it is needed.
    pub fn put_host_call(&mut self, call: &HostCall) {
        self.put(0, call.id.into());
        self.put(1, call.function.plugin.into());
        self.put(2, call.function.number.into());
        self.put(3, call.instance.into());
        self.put(4, call.call.id as f64);
        self.put(5, call.inputs.len() as f64);
        self.put(6, call.results.len() as f64);
        let results = INPUTS + call.inputs.len() * SLOTS_OF_INPUT;
        let mut position = (results + call.results.len()) * 8;
        for (index, (input, block)) in call.inputs.iter().zip(&call.blocks).enumerate() {
            let slot = INPUTS + index * SLOTS_OF_INPUT;
            self.put_bits(slot, value::bits(input));
            self.put(slot + 1, value::code(input).into());
            let (mut place, mut length) = (NONE, 0.0);
            if let Some(block) = block
                && self.put_bytes(position, block)
            {
                (place, length) = (position as f64, block.len() as f64);
                position += block.len();
            }
            self.put(slot + 2, place);
            self.put(slot + 3, length);
        }
        for (index, result) in call.results.iter().enumerate() {
            self.put(results + index, value::code(result).into());
        }
    }

    /// The results of a host function, of these types.
    pub fn results(&mut self, types: &[Val]) -> Vec<Val> {
        let places = types.iter().enumerate();
        places
            .map(|(index, like)| value::of_bits(self.bits(INPUTS + index), like))
            .collect()
    }

    /// The blocks that a host function has left to be written: for each where it starts and its
    /// length, in slots behind the results, and the bytes behind all of these.
    pub fn writes(&mut self, results: usize, count: usize) -> Vec<(u64, Vec<u8>)> {
        let first = INPUTS + results;
        let mut position = (first + count * 2) * 8;
        let mut writes = Vec::with_capacity(count);
        for index in 0..count {
            let start = self.number(first + index * 2) as u64;
            let length = self.number(first + index * 2 + 1) as usize;
            writes.push((start, self.take(position, length)));
            position += length;
        }
        writes
    }
}
