//! Compiled code, kept from one process to the next. The runtime runs what it reads back, and
//! does not notice a flipped bit. So each plugin has a directory of its own with a list of
//! digests, and what is not as the list says is gone before the runtime looks.

mod digests;
mod sweep;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Write};
#[cfg(unix)]
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::Recipe;
use crate::error::{Code, Failure};
use crate::sync::lock;

/// What the runtime is told. Each engine has a thread of low priority that keeps statistics of
/// the cache. It has to be through with them before it goes, so it gets little to do.
const HOUSEKEEPING: &str = r#"
worker-event-queue-size = "1"
optimized-compression-usage-counter-threshold = "1000000000"
"#;
const SETTINGS: &str = "settings.toml";
/// The runtime's own directory, where it removes what it does not know.
const CODE: &str = "code";

/// How long code is believed to be as it was when it was looked at. It spares the instances
/// that are made together; a process that runs for weeks looks again. What changes in between
/// is not noticed.
const TRUST: Duration = Duration::from_secs(60);

/// Where a plugin's compiled code is kept.
pub struct Cache {
    root: PathBuf,
    directory: OnceLock<Arc<Directory>>,
}

impl Cache {
    /// Of a directory that belongs to the user, and that nobody else may write to.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            directory: OnceLock::new(),
        }
    }

    /// Lets the runtime compile with a file that tells it where its code is. Fails where the
    /// cache is of no use.
    pub fn compile<T>(
        &self,
        recipe: &Recipe,
        compile: impl FnOnce(&Path) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let directory = self
            .directory
            .get_or_init(|| Directory::known(self.root.join(key(recipe))));
        let settings = directory
            .open()
            .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        let compiled = compile(&settings)?;
        // Code that is not on the list is compiled again by the next process, and that is all.
        let _ = directory.seal();
        sweep::begin(&self.root);
        Ok(compiled)
    }
}

/// What makes code another. The runtime tells apart what this does not, the processor for
/// example: such code shares a directory.
fn key(recipe: &Recipe) -> String {
    let mut hash = Sha256::new_with_prefix(env!("CARGO_PKG_VERSION"));
    hash.update([u8::from(recipe.fuel.is_some())]);
    for (_, bytes) in &recipe.blueprint.modules {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    format!("{:x}", hash.finalize())
}

/// One plugin's, for all instances of it in this process.
struct Directory {
    path: PathBuf,
    /// When its code was looked at.
    checked: Mutex<Option<Instant>>,
}

impl Directory {
    fn known(path: PathBuf) -> Arc<Self> {
        static KNOWN: Mutex<BTreeMap<PathBuf, Arc<Directory>>> = Mutex::new(BTreeMap::new());
        let mut known = lock(&KNOWN);
        known.retain(|_, directory| Arc::strong_count(directory) > 1 || directory.is_trusted());
        let directory = known.entry(path.clone()).or_insert_with(|| {
            Arc::new(Self {
                path,
                checked: Mutex::default(),
            })
        });
        directory.clone()
    }

    fn is_trusted(&self) -> bool {
        is_recent(*lock(&self.checked))
    }

    /// Makes sure that there is no code but what was once written: the file for the runtime.
    fn open(&self) -> io::Result<PathBuf> {
        let mut checked = lock(&self.checked);
        if !is_recent(*checked) {
            // What is left is whole, so what another process writes meanwhile is, too.
            if digests::check(&self.path).is_err() {
                remove(&self.path)?;
            }
            *checked = Some(Instant::now());
        }
        make(&self.path)?;
        let settings = self.path.join(SETTINGS);
        let code = quoted(&self.path.join(CODE))?;
        let content = format!("[cache]\ndirectory = {code}{HOUSEKEEPING}");
        if !fs::read(&settings).is_ok_and(|found| found == content.as_bytes()) {
            // It may be anything, a directory for example.
            replace(&settings, &content)
                .or_else(|_| remove(&settings).and_then(|()| replace(&settings, &content)))?;
        }
        Ok(settings)
    }

    /// Puts new code on the list.
    fn seal(&self) -> io::Result<()> {
        let _alone = lock(&self.checked);
        digests::complete(&self.path)
    }
}

fn is_recent(checked: Option<Instant>) -> bool {
    checked.is_some_and(|checked| checked.elapsed() < TRUST)
}

/// For the user alone, whatever new files are for otherwise.
fn make(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    builder.mode(0o700);
    match builder.create(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Whatever it is.
fn remove(path: &Path) -> io::Result<()> {
    let removed = fs::symlink_metadata(path).and_then(|found| match found.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    });
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file that others may be reading, or writing.
fn replace(file: &Path, content: &str) -> io::Result<()> {
    // Not the process's number, which those in another container may have, too.
    let random = RandomState::new().hash_one(());
    let draft = file.with_extension(format!("{random:x}"));
    let mut options = OpenOptions::new();
    let mut opened = options.write(true).create_new(true).open(&draft)?;
    let written = opened.write_all(content.as_bytes());
    drop(opened);
    written
        .and_then(|()| fs::rename(&draft, file))
        .inspect_err(|_| drop(fs::remove_file(&draft)))
}

/// A path as a string in TOML.
fn quoted(path: &Path) -> io::Result<String> {
    let path = path.to_str().ok_or(ErrorKind::InvalidInput)?;
    let escaped = path.chars().map(|char| match char {
        '"' | '\\' => format!("\\{char}"),
        char if char.is_control() => format!("\\u{:04x}", u32::from(char)),
        char => char.into(),
    });
    Ok(format!("\"{}\"", escaped.collect::<String>()))
}
