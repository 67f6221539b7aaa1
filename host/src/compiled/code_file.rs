//! A file with compiled code: a digest, and the code. The file is read completely and checked
//! before any of it is loaded. A mapped file could change, or shrink, while its code runs.

use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

/// How the names of files end.
pub const CODE: &str = ".cwasm";
pub const DRAFT: &str = ".draft";

const DIGEST_BYTES: usize = 32;

/// A larger file was not written here.
const MAX_BYTES: u64 = 2 << 30;

/// How exact the time of the last use is that the sweep sees.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Code that came from the compiler, in this process or in another one of the same user.
pub struct TrustedCode {
    bytes: Vec<u8>,
    /// Where the code begins.
    start: usize,
}

impl TrustedCode {
    pub(super) fn compiled(bytes: Vec<u8>) -> Self {
        Self { bytes, start: 0 }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// The file for a module and an engine.
pub struct CodeFile<'a> {
    root: &'a Path,
    /// A digest of the module and of the engine.
    key: [u8; 32],
    path: PathBuf,
}

impl<'a> CodeFile<'a> {
    pub fn new(root: &'a Path, engine: &[u8; 32], module: &[u8; 32]) -> Self {
        let key: [u8; 32] = Sha256::new()
            .chain_update(engine)
            .chain_update(module)
            .finalize()
            .into();
        Self {
            root,
            key,
            path: root.join(format!("{}{CODE}", hex(&key))),
        }
    }

    pub fn exists(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|found| found.is_file())
    }

    /// The code, if there is a file and every bit of it is as it was written.
    pub fn read(&self) -> Option<TrustedCode> {
        let mut options = OpenOptions::new();
        options.read(true);
        // Opening a pipe would wait. A link may lead anywhere.
        #[cfg(unix)]
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let mut file = options.open(&self.path).ok()?;
        let found = file.metadata().ok()?;
        if !found.is_file() || found.len() > MAX_BYTES {
            return None;
        }
        let mut bytes = Vec::new();
        let length = usize::try_from(found.len()).ok()?;
        bytes.try_reserve_exact(length).ok()?;
        (&mut file).take(found.len()).read_to_end(&mut bytes).ok()?;
        let (digest, code) = bytes.split_first_chunk::<DIGEST_BYTES>()?;
        if *digest != self.digest(code) {
            return None;
        }
        let modified = found.modified().ok()?;
        // A time in the future is not believed, either.
        if modified.elapsed().map_or(true, |idle| idle > DAY) {
            // It may be another user's. Then the sweep takes the code for unused, and that is all.
            let _ = file.set_modified(SystemTime::now());
        }
        Some(TrustedCode {
            bytes,
            start: DIGEST_BYTES,
        })
    }

    /// Puts code in place of what is there. Other processes may read or write the file meanwhile.
    pub fn write(&self, code: &TrustedCode) -> io::Result<()> {
        make_directory(self.root)?;
        // Not the number of the process, which one in another container may have, too.
        let random = RandomState::new().hash_one(());
        let draft = format!("{}.{random:016x}{DRAFT}", hex(&self.key));
        let draft = self.root.join(draft);
        self.write_draft(&draft, code.bytes())
            .and_then(|()| self.publish(&draft))
            .inspect_err(|_| drop(fs::remove_file(&draft)))
    }

    fn write_draft(&self, draft: &Path, code: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let mut file = options.open(draft)?;
        file.write_all(&self.digest(code))?;
        file.write_all(code)
    }

    fn publish(&self, draft: &Path) -> io::Result<()> {
        fs::rename(draft, &self.path).or_else(|_| {
            // There may be a directory in its place.
            remove(&self.path)?;
            fs::rename(draft, &self.path)
        })
    }

    /// Covers the key, so that a file is of no use under the name of another.
    fn digest(&self, code: &[u8]) -> [u8; DIGEST_BYTES] {
        let hash = Sha256::new_with_prefix(self.key).chain_update(code);
        hash.finalize().into()
    }
}

fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn make_directory(path: &Path) -> io::Result<()> {
    match create_private(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Creates a directory for the user alone, whatever new directories are for otherwise.
pub fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(path)
}

/// Removes a file, or a directory with what is in it.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = fs::symlink_metadata(path).and_then(|found| match found.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    });
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
