//! Removes code that was not used for long, or that is too much, and what killed processes left.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use super::code_file::{CODE, DRAFT, remove};
use crate::sync::lock;
use crate::threads;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A small file takes no less.
const BLOCK_BYTES: u64 = 4096;

/// How long a sweep is enough for.
const INTERVAL: Duration = HOUR;

/// What may stay.
pub struct Limits {
    pub bytes: u64,
    pub idle: Duration,
    /// How long a process may take to write a file.
    pub draft: Duration,
}

const LIMITS: Limits = Limits {
    bytes: 1 << 30,
    idle: Duration::from_secs(30 * 24 * 60 * 60),
    draft: HOUR,
};

/// Sweeps a cache on another thread, unless this process has done so in the last hour.
pub fn begin(root: &Path) {
    static SWEPT: Mutex<BTreeMap<PathBuf, Instant>> = Mutex::new(BTreeMap::new());
    let now = Instant::now();
    let mut swept = lock(&SWEPT);
    swept.retain(|_, last| now.duration_since(*last) < INTERVAL);
    if swept.contains_key(root) {
        return;
    }
    swept.insert(root.to_owned(), now);
    drop(swept);
    let root = root.to_owned();
    // If there is no thread for it, a later process sweeps.
    let _ = threads::spawn_blocking(move || drop(sweep(&root, &LIMITS)));
}

/// Removes code that was not used for too long, and the least recently used as long as all of it
/// is too much. Whatever has another name belongs to the user.
pub fn sweep(root: &Path, limits: &Limits) -> io::Result<()> {
    let now = SystemTime::now();
    // A time in the future is no reason to keep or to remove anything.
    let age = |found: &Metadata| {
        let modified = found.modified().ok()?;
        Some(now.duration_since(modified).unwrap_or_default())
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(root)?.filter_map(Result::ok) {
        let path = entry.path();
        let Some(kind) = entry.file_name().to_str().and_then(Kind::of) else {
            continue;
        };
        // Not of what a link leads to.
        let Ok(found) = fs::symlink_metadata(&path) else {
            continue;
        };
        let Some(age) = age(&found) else { continue };
        let is_needless = match kind {
            Kind::Code if found.is_file() => {
                files.push((age, found.len().next_multiple_of(BLOCK_BYTES), path));
                continue;
            }
            Kind::Code => false,
            Kind::Draft => found.is_file() && age > limits.draft,
            Kind::Old => found.is_dir() && path.join("settings.toml").is_file(),
        };
        if is_needless {
            let _ = remove(&path);
        }
    }
    files.sort_unstable_by_key(|(age, ..)| Reverse(*age));
    let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    for (age, bytes, path) in files {
        if total > limits.bytes || age > limits.idle {
            // Another process may have been faster.
            let _ = remove(&path);
            total -= bytes;
        }
    }
    Ok(())
}

enum Kind {
    Code,
    Draft,
    /// A directory of version 0.1, which had one for each plugin.
    Old,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        if let Some(key) = name.strip_suffix(CODE) {
            return is_hex(key, 64).then_some(Kind::Code);
        }
        if let Some(draft) = name.strip_suffix(DRAFT) {
            let (key, random) = draft.split_once('.')?;
            return (is_hex(key, 64) && is_hex(random, 16)).then_some(Kind::Draft);
        }
        is_hex(name, 64).then_some(Kind::Old)
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == length && text.bytes().all(is_digit)
}
