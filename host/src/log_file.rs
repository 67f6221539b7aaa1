//! The one log file of the process, which the legacy API sets.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime};

use crate::call::CallState;
use crate::log::{Level, Logger, Passed};
use crate::sync::lock;
use crate::threads;

/// How long to wait before looking again whether there is room for the rest of a line.
const ROOM_AGAIN: Duration = Duration::from_millis(5);

pub struct LogFile;

/// The file, and from which level on it gets messages. Not locked while anything is written: the
/// event loop sets another one.
static CURRENT: Mutex<Option<(Level, Arc<Mutex<Target>>)>> = Mutex::new(None);

struct Target {
    file: File,
    /// What of the last line there was no room for.
    rest: Vec<u8>,
    /// Whether somebody looks for room for it.
    finishing: bool,
}

impl LogFile {
    /// Appends what plugins log from now on to this file.
    pub fn set(path: &Path, level: Level) -> Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        // A pipe whose reader does not read is full at some time, and nobody may wait for it there.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
        let target = Target {
            file: options.open(path)?,
            rest: Vec::new(),
            finishing: false,
        };
        *lock(&CURRENT) = Some((level, Arc::new(Mutex::new(target))));
        Ok(())
    }
}

impl Logger for LogFile {
    fn level(&self) -> Level {
        let current = lock(&CURRENT);
        current.as_ref().map_or(Level::Silent, |(level, _)| *level)
    }

    fn log(&self, _: &CallState, level: Level, message: &str) -> Passed {
        let Some((_, target)) = lock(&CURRENT).clone() else {
            return Passed::On;
        };
        let mut writing = lock(&target);
        if !writing.flush() {
            return Passed::Later;
        }
        let time = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let line = format!(
            "{}.{:03} {} {message}\n",
            time.as_secs(),
            time.subsec_millis(),
            level.name()
        );
        writing.rest = line.into_bytes();
        if !writing.flush() && !writing.finishing {
            // Without a thread for it, the rest waits for the next message.
            writing.finishing = threads::spawn(finish(Arc::downgrade(&target))).is_ok();
        }
        Passed::On
    }
}

/// Writes the rest of a line once there is room.
async fn finish(target: Weak<Mutex<Target>>) {
    while let Some(target) = target.upgrade() {
        if lock(&target).finish() {
            return;
        }
        drop(target);
        tokio::time::sleep(ROOM_AGAIN).await;
    }
}

impl Target {
    fn finish(&mut self) -> bool {
        self.finishing = !self.flush();
        !self.finishing
    }

    /// Whether nothing is left to be written.
    fn flush(&mut self) -> bool {
        while !self.rest.is_empty() {
            match self.file.write(&self.rest) {
                Ok(length @ 1..) => drop(self.rest.drain(..length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A full disk must not fail a plugin's call.
                Ok(0) | Err(_) => self.rest.clear(),
            }
        }
        true
    }
}
