//! What plugins log and print, on its way to JavaScript.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::raw::Bytes;
use super::settler::{Event, Sender};
use super::synchronous;
use crate::faults;
use crate::log::{Level, Logger, Output, Passed};

/// How much of one plugin's may be on its way, in bytes, which is how much JavaScript takes in one
/// turn of its loop. A plugin is faster, and waits.
const MAX_BYTES: u64 = 1 << 20;
/// The same for calls on JavaScript's thread, which takes nothing before they are over. What is
/// more is counted and dropped.
const MAX_BYTES_SYNCHRONOUS: u64 = 16 << 20;
/// What a message costs beside its text, most of all in time.
const MESSAGE_BYTES: u64 = 1 << 10;

pub struct Door {
    sender: Arc<Sender>,
    plugin: u32,
    /// A level's number as guests know it.
    level: AtomicU32,
    /// Bytes on their way, and how many of them JavaScript has taken in this turn of its loop.
    waiting: AtomicU64,
    taken: AtomicU64,
    dropped: AtomicU64,
}

/// Something that a plugin has logged, or printed.
#[napi(object, object_from_js = false)]
pub struct Message {
    pub plugin: u32,
    /// A level, or "stdout" or "stderr".
    pub kind: String,
    pub text: Option<String>,
    pub bytes: Option<Bytes>,
}

/// A message on its way.
pub struct Waiting {
    door: Arc<Door>,
    cost: u64,
    message: Message,
}

impl Waiting {
    pub fn take(self) -> Message {
        self.door.taken.fetch_add(self.cost, Ordering::Relaxed);
        self.message
    }
}

impl Door {
    pub fn new(sender: Arc<Sender>, plugin: u32, level: Level) -> Self {
        Self {
            sender,
            plugin,
            level: AtomicU32::new(level as u32),
            waiting: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    pub fn set_level(&self, level: Level) {
        self.level.store(level as u32, Ordering::Relaxed);
    }

    pub fn level(&self) -> Level {
        Level::from_number(self.level.load(Ordering::Relaxed) as i32)
    }

    /// Makes room for as much as was taken: how many messages there was none for before.
    pub fn make_room(&self) -> u64 {
        let taken = self.taken.swap(0, Ordering::Relaxed);
        self.waiting.fetch_sub(taken, Ordering::Relaxed);
        self.dropped.swap(0, Ordering::Relaxed)
    }

    fn send(self: &Arc<Self>, kind: &str, text: Option<&str>, bytes: Option<&[u8]>) -> Passed {
        faults::point("log");
        let length = text.map_or(0, str::len) + bytes.map_or(0, <[u8]>::len);
        let cost = length as u64 + MESSAGE_BYTES;
        let (max, without_room) = match synchronous::is_here() {
            true => (MAX_BYTES_SYNCHRONOUS, Passed::Never),
            false => (MAX_BYTES, Passed::Later),
        };
        if self.waiting.fetch_add(cost, Ordering::Relaxed) + cost > max {
            self.waiting.fetch_sub(cost, Ordering::Relaxed);
            return without_room;
        }
        self.sender.send(Event::Message(Waiting {
            door: self.clone(),
            cost,
            message: Message {
                plugin: self.plugin,
                kind: kind.to_owned(),
                text: text.map(str::to_owned),
                bytes: bytes.map(|bytes| Bytes(bytes.to_vec())),
            },
        }));
        Passed::On
    }
}

/// The door, as a plugin has it.
pub struct ToJavaScript(pub Arc<Door>);

impl Logger for ToJavaScript {
    fn level(&self) -> Level {
        self.0.level()
    }

    fn log(&self, level: Level, message: &str) -> Passed {
        if level < self.0.level() {
            return Passed::On;
        }
        let passed = self.0.send(level.name(), Some(message), None);
        if matches!(passed, Passed::Never) {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
        }
        passed
    }
}

impl Output for ToJavaScript {
    fn print(&self, is_error: bool, bytes: &[u8]) -> Passed {
        let kind = if is_error { "stderr" } else { "stdout" };
        self.0.send(kind, None, Some(bytes))
    }
}
