//! What nobody used for long, or what is too much, goes.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use super::digests::LIST;
use super::remove;
use crate::sync::lock;
use crate::threads;

const MAX_BYTES: u64 = 1 << 30;
const MAX_IDLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A small file takes no less.
const BLOCK_BYTES: u64 = 4096;

/// How long a sweep is enough for.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Sweeps a cache on another thread, unless this process has done so in the last hour.
pub fn begin(root: &Path) {
    static SWEPT: Mutex<BTreeMap<PathBuf, Instant>> = Mutex::new(BTreeMap::new());
    let now = Instant::now();
    let mut swept = lock(&SWEPT);
    if swept.get(root).is_some_and(|last| now - *last < INTERVAL) {
        return;
    }
    swept.insert(root.to_owned(), now);
    drop(swept);
    let root = root.to_owned();
    // Where this is not possible, a later process does it.
    let _ = threads::spawn_blocking(move || drop(sweep(&root, MAX_BYTES, MAX_IDLE)));
}

/// Removes the plugins' directories that were not used for longer than this, and those used
/// least recently as long as all of them together have more bytes.
pub fn sweep(root: &Path, max_bytes: u64, max_idle: Duration) -> io::Result<()> {
    let entries = fs::read_dir(root)?.filter_map(Result::ok);
    let mut directories: Vec<_> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_key))
        .filter_map(|entry| Some((last_used(&entry.path()).ok()?, entry.path())))
        .collect();
    directories.sort_unstable_by_key(|(used, _)| Reverse(*used));
    let mut total = 0;
    for (used, directory) in directories {
        total += size(&directory).unwrap_or(0);
        if total > max_bytes || used.elapsed().unwrap_or_default() > max_idle {
            // Another process may be writing there, or faster.
            let _ = remove(&directory);
        }
    }
    Ok(())
}

/// The rest of a directory that the user has named is the user's.
fn is_key(name: &str) -> bool {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.len() == 64 && name.bytes().all(is_digit)
}

fn last_used(directory: &Path) -> io::Result<SystemTime> {
    let list = fs::metadata(directory.join(LIST));
    list.or_else(|_| fs::symlink_metadata(directory))?
        .modified()
}

fn size(path: &Path) -> io::Result<u64> {
    let found = fs::symlink_metadata(path)?;
    let mut bytes = found.len().next_multiple_of(BLOCK_BYTES);
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            bytes += size(&entry?.path())?;
        }
    }
    Ok(bytes)
}
