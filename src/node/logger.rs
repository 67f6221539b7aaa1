//! What plugins log, on its way to a logger in JavaScript.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::settler::{Event, Sender};
use crate::log::{Level, Logger};

/// How many messages of one plugin may wait for the event loop. A plugin can log faster than
/// JavaScript can take it; what is more is counted and dropped.
const MAX_WAITING: u64 = 4096;

pub struct JavaScriptLogger {
    sender: Arc<Sender>,
    plugin: u32,
    /// A level's number as guests know it.
    level: AtomicU32,
    waiting: AtomicU64,
    dropped: AtomicU64,
}

/// Something that a plugin has logged.
#[napi(object, object_from_js = false)]
pub struct LogMessage {
    pub plugin: u32,
    pub level: String,
    pub message: String,
}

/// A message that counts as waiting until it is taken.
pub struct Waiting {
    logger: Arc<JavaScriptLogger>,
    message: LogMessage,
}

impl Waiting {
    pub fn take(self) -> LogMessage {
        self.logger.waiting.fetch_sub(1, Ordering::Relaxed);
        self.message
    }
}

/// The logger as a plugin has it.
pub struct ToJavaScript(pub Arc<JavaScriptLogger>);

impl JavaScriptLogger {
    pub fn new(sender: Arc<Sender>, plugin: u32, level: Level) -> Self {
        Self {
            sender,
            plugin,
            level: AtomicU32::new(level as u32),
            waiting: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    pub fn set_level(&self, level: Level) {
        self.level.store(level as u32, Ordering::Relaxed);
    }

    pub fn level(&self) -> Level {
        Level::from_number(self.level.load(Ordering::Relaxed) as i32)
    }

    fn send(self: &Arc<Self>, level: Level, message: String) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.sender.send(Event::Log(Waiting {
            logger: self.clone(),
            message: LogMessage {
                plugin: self.plugin,
                level: level.name().to_owned(),
                message,
            },
        }));
    }
}

impl Logger for ToJavaScript {
    fn level(&self) -> Level {
        self.0.level()
    }

    fn log(&self, level: Level, message: &str) {
        let logger = &self.0;
        if level < logger.level() {
            return;
        }
        if logger.waiting.load(Ordering::Relaxed) >= MAX_WAITING {
            logger.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let dropped = logger.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let message = format!("{dropped} messages came too fast and were dropped");
            logger.send(Level::Warn, message);
        }
        logger.send(level, message.to_owned());
    }
}
