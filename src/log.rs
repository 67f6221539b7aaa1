//! What guests log, by level.

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
