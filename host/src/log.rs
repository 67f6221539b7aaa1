//! What guests log and print, by level, on its way to where it goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::call::CallState;
use crate::executor::Event;
use crate::faults;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Silent,
}

impl Level {
    const NAMES: [(Level, &str); 6] = [
        (Level::Trace, "trace"),
        (Level::Debug, "debug"),
        (Level::Info, "info"),
        (Level::Warn, "warn"),
        (Level::Error, "error"),
        (Level::Silent, "silent"),
    ];

    pub fn from_name(name: &str) -> Option<Self> {
        let found = Self::NAMES.iter().find(|(_, known)| *known == name);
        found.map(|(level, _)| *level)
    }

    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    /// The number that guests know a level by.
    pub fn number(self) -> i32 {
        match self {
            Level::Silent => i32::MAX,
            level => level as i32,
        }
    }

    fn from_index(index: u32) -> Self {
        let found = Self::NAMES.get(index as usize);
        found.map_or(Level::Silent, |(level, _)| *level)
    }
}

/// Where the messages of a plugin go.
pub trait Logger: Send + Sync {
    /// Messages below this level are dropped before they are read.
    fn level(&self) -> Level;
    fn log(&self, call: &CallState, level: Level, message: &str) -> Passed;
}

/// Where it goes what guests with WASI print.
pub trait Output: Send + Sync {
    fn print(&self, is_error: bool, bytes: &[u8]) -> Passed;
}

/// What came of passing something on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    On,
    /// There is no room now.
    Later,
    /// There is none, and will not be any.
    Never,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Log(Level),
    Stdout,
    Stderr,
}

/// Something that a guest has logged or printed, for the thread that called it.
pub struct Message {
    pub plugin: u32,
    pub call: u64,
    pub kind: Kind,
    pub bytes: Vec<u8>,
    cost: u64,
    forwarder: Arc<Forwarder>,
}

impl Drop for Message {
    /// There is room for others once a message was taken.
    fn drop(&mut self) {
        self.forwarder.waiting.fetch_sub(self.cost, Relaxed);
    }
}

/// How much of one plugin's may be on its way, in bytes: a guest that is faster waits.
const MAX_BYTES: u64 = 1 << 20;
/// What a message costs beside its text, most of all in time.
const MESSAGE_BYTES: u64 = 1 << 10;

/// Forwards what a plugin logs and prints to the thread that called it.
pub struct Forwarder {
    plugin: u32,
    level: AtomicU32,
    /// Bytes on their way.
    waiting: AtomicU64,
}

impl Forwarder {
    pub fn new(plugin: u32, level: Level) -> Arc<Self> {
        Arc::new(Self {
            plugin,
            level: AtomicU32::new(level as u32),
            waiting: AtomicU64::new(0),
        })
    }

    pub fn set_level(&self, level: Level) {
        self.level.store(level as u32, Relaxed);
    }

    pub fn level(&self) -> Level {
        Level::from_index(self.level.load(Relaxed))
    }

    pub fn send(self: &Arc<Self>, call: &CallState, kind: Kind, bytes: &[u8]) -> Passed {
        faults::point("log");
        let cost = bytes.len() as u64 + MESSAGE_BYTES;
        if self.waiting.fetch_add(cost, Relaxed) + cost > MAX_BYTES {
            self.waiting.fetch_sub(cost, Relaxed);
            return Passed::Later;
        }
        call.place.queue.push(Event::Message(Message {
            plugin: self.plugin,
            call: call.id,
            kind,
            bytes: bytes.to_vec(),
            cost,
            forwarder: self.clone(),
        }));
        Passed::On
    }
}

/// Messages of the API whose logger is the caller's own.
pub struct ToCaller(pub Arc<Forwarder>);

impl Logger for ToCaller {
    fn level(&self) -> Level {
        self.0.level()
    }

    fn log(&self, call: &CallState, level: Level, message: &str) -> Passed {
        match level < self.0.level() {
            true => Passed::On,
            false => self.0.send(call, Kind::Log(level), message.as_bytes()),
        }
    }
}
