//! The list of what code should be, in the format of `sha256sum`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::{CODE, replace};

/// What the runtime calls a file that it is writing. One that was left behind keeps it from ever
/// writing that file again.
const DRAFT: &str = ".wip-atomic-write-mod";

/// How deep below [`CODE`] the runtime has directories.
const LEVELS: usize = 2;

/// Its time of writing says when the directory was last of use.
pub const LIST: &str = "SHA256SUMS";

/// Fails unless all code is as the list says. Of what is on the list, any may be gone.
pub fn check(directory: &Path) -> io::Result<()> {
    for directory in [directory, &directory.join(CODE)] {
        // A link, for example.
        if fs::symlink_metadata(directory).is_ok_and(|found| !found.is_dir()) {
            return Err(ErrorKind::InvalidData.into());
        }
    }
    let list = read(directory)?;
    for name in code(directory)? {
        let expected = list.get(&name).ok_or(ErrorKind::InvalidData)?;
        if digest(&directory.join(name))? != *expected {
            return Err(ErrorKind::InvalidData.into());
        }
    }
    Ok(())
}

/// Puts code on the list that is not there, and keeps what the list says of the rest.
pub fn complete(directory: &Path) -> io::Result<()> {
    let file = directory.join(LIST);
    let known = read(directory).unwrap_or_default();
    let mut names = code(directory)?;
    names.retain(|name| !name.ends_with(DRAFT));
    if names.iter().all(|name| known.contains_key(name)) {
        let file = File::options().write(true).open(file)?;
        return file.set_modified(SystemTime::now());
    }
    let lines = names.into_iter().map(|name| {
        let digest = match known.get(&name) {
            Some(digest) => digest.clone(),
            None => digest(&directory.join(&name))?,
        };
        Ok(format!("{digest}  {name}\n"))
    });
    replace(&file, &lines.collect::<io::Result<String>>()?)
}

fn read(directory: &Path) -> io::Result<BTreeMap<String, String>> {
    let text = match fs::read_to_string(directory.join(LIST)) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let entries = text.lines().map(|line| {
        let (digest, name) = line.split_once("  ").ok_or(ErrorKind::InvalidData)?;
        Ok((name.to_owned(), digest.to_owned()))
    });
    entries.collect()
}

/// The files with compiled code, and drafts of them. The runtime's other files have a dot in their
/// names, too.
fn code(directory: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    let mut left = vec![CODE.to_owned()];
    while let Some(above) = left.pop() {
        let entries = match fs::read_dir(directory.join(&above)) {
            // Another process may be removing it.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().ok_or(ErrorKind::InvalidData)?;
            let kind = entry.file_type()?;
            // What is in place of a file or a directory is on no list.
            if kind.is_dir() && above.matches('/').count() < LEVELS {
                left.push(format!("{above}/{name}"));
            } else if !kind.is_file() || !name.contains('.') || name.ends_with(DRAFT) {
                files.push(format!("{above}/{name}"));
            }
        }
    }
    Ok(files)
}

fn digest(file: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(file)?, &mut hash)?;
    Ok(format!("{:x}", hash.finalize()))
}
