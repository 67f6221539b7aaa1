//! A directory for what is compiled once.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use super::code_file::create_private;

/// A new directory for the user alone, which is removed with all that is in it.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(parent: &Path) -> io::Result<Self> {
        let random = RandomState::new().hash_one(());
        let path = parent.join(format!("extism-napi-{random:016x}"));
        // Fails if the name exists, whoever made it.
        create_private(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The child removes it as well if its parent dies.
        let _ = fs::remove_dir_all(&self.0);
    }
}
