//! What guests log, by level.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{LazyLock, Mutex};
use std::time::SystemTime;

use crate::sync::lock;

/// What is longer is cut here.
pub const MAX_MESSAGE_BYTES: u64 = 64 << 10;

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

    pub fn from_number(number: i32) -> Self {
        usize::try_from(number)
            .ok()
            .and_then(|index| Self::NAMES.get(index))
            .map_or(Level::Silent, |(level, _)| *level)
    }
}

/// Where the messages of a plugin go.
pub trait Logger: Send + Sync {
    /// Messages below this level are dropped before they are read.
    fn level(&self) -> Level;
    fn log(&self, level: Level, message: &str) -> Passed;
}

/// Where it goes what guests with WASI print.
pub trait Output: Send + Sync {
    fn print(&self, is_error: bool, bytes: &[u8]) -> Passed;
}

/// What came of passing something on.
pub enum Passed {
    On,
    /// There is no room now.
    Later,
    /// There is none, and will not be any.
    Never,
}

/// The one log file of the process, which the legacy API sets.
pub struct LogFile;

struct Target {
    file: File,
    level: Level,
}

static TARGET: LazyLock<Mutex<Option<Target>>> = LazyLock::new(Mutex::default);

impl LogFile {
    /// Appends what plugins log from now on to this file.
    pub fn set(path: &Path, level: Level) -> std::io::Result<()> {
        let file = File::options().create(true).append(true).open(path)?;
        *lock(&TARGET) = Some(Target { file, level });
        Ok(())
    }
}

impl Logger for LogFile {
    fn level(&self) -> Level {
        lock(&TARGET)
            .as_ref()
            .map_or(Level::Silent, |target| target.level)
    }

    fn log(&self, level: Level, message: &str) -> Passed {
        if let Some(target) = lock(&TARGET).as_mut() {
            let time = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            let line = format!(
                "{}.{:03} {} {message}\n",
                time.as_secs(),
                time.subsec_millis(),
                level.name()
            );
            // A full disk must not fail a plugin's call.
            let _ = target.file.write_all(line.as_bytes());
        }
        Passed::On
    }
}
