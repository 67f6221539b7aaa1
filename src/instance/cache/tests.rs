use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::digests::{LIST, check, complete};
use super::sweep::sweep;
use super::{Directory, SETTINGS, TRUST, quoted};

/// A directory that is gone after the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("extism-napi-test-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Code as the runtime would write it, and where.
const FILES: [(&str, &[u8]); 2] = [("first", b"some code"), ("second", &[0; 5000])];

fn code(directory: &Path) -> PathBuf {
    directory.join("code/modules/runtime-1.2.3")
}

fn fill(directory: &Path) {
    fs::create_dir_all(code(directory)).unwrap();
    for (name, bytes) in FILES {
        fs::write(code(directory).join(name), bytes).unwrap();
        fs::write(code(directory).join(format!("{name}.stats")), "usages").unwrap();
    }
}

/// A directory with code that is on its list.
fn sealed() -> Temporary {
    let directory = Temporary::new();
    fill(&directory.0);
    complete(&directory.0).unwrap();
    directory
}

fn opened(path: PathBuf, checked: Option<Instant>) -> Directory {
    let checked = Mutex::new(checked);
    Directory { path, checked }
}

#[test]
fn code_is_whole_until_any_bit_of_it_flips() {
    let directory = sealed();
    check(&directory.0).unwrap();
    for (name, bytes) in FILES {
        let file = code(&directory.0).join(name);
        for bit in (0..bytes.len() * 8).step_by(997).chain([7]) {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, flipped).unwrap();
            check(&directory.0).unwrap_err();
        }
        fs::write(file, bytes).unwrap();
        check(&directory.0).unwrap();
    }
}

#[test]
fn code_that_is_cut_or_not_on_the_list_is_not_whole() {
    let damages: [fn(&Path); 6] = [
        |path| fs::write(code(path).join("first"), "some cod").unwrap(),
        |path| fs::write(code(path).join("third"), "unknown").unwrap(),
        |path| fs::write(code(path).join("first.wip-atomic-write-mod"), "").unwrap(),
        |path| fs::remove_file(path.join(LIST)).unwrap(),
        |path| fs::write(path.join(LIST), [0xff, 0xfe, 0, b'\n']).unwrap(),
        |path| fs::write(path.join(LIST), "no digest\n").unwrap(),
    ];
    for damage in damages {
        let directory = sealed();
        damage(&directory.0);
        check(&directory.0).unwrap_err();
    }
}

#[test]
fn code_that_is_gone_and_statistics_that_change_harm_nothing() {
    let directory = sealed();
    fs::write(code(&directory.0).join("first.stats"), "others").unwrap();
    fs::remove_file(code(&directory.0).join("second")).unwrap();
    check(&directory.0).unwrap();
    fs::remove_dir_all(directory.0.join("code")).unwrap();
    check(&directory.0).unwrap();
    check(&directory.0.join("none")).unwrap();
}

#[test]
fn new_code_comes_onto_the_list_and_damaged_code_does_not() {
    let directory = sealed();
    fs::write(code(&directory.0).join("third"), "new").unwrap();
    complete(&directory.0).unwrap();
    check(&directory.0).unwrap();
    fs::write(code(&directory.0).join("first"), "damaged").unwrap();
    fs::write(code(&directory.0).join("fourth"), "new").unwrap();
    complete(&directory.0).unwrap();
    check(&directory.0).unwrap_err();
}

#[test]
fn a_draft_that_was_left_behind_does_not_come_onto_the_list() {
    let directory = sealed();
    let draft = code(&directory.0).join("third.wip-atomic-write-mod");
    fs::write(draft, "thi").unwrap();
    fs::write(code(&directory.0).join("fourth"), "new").unwrap();
    complete(&directory.0).unwrap();
    check(&directory.0).unwrap_err();
}

#[test]
fn damaged_code_is_removed_and_whole_code_is_not() {
    let directory = sealed();
    let first = code(&directory.0).join("first");
    opened(directory.0.clone(), None).open().unwrap();
    assert!(first.exists());
    fs::write(&first, "damaged").unwrap();
    opened(directory.0.clone(), None).open().unwrap();
    assert!(!directory.0.join("code").exists());
    assert!(!directory.0.join(LIST).exists());
}

#[test]
fn code_is_looked_at_again_after_a_while() {
    let directory = sealed();
    let first = code(&directory.0).join("first");
    fs::write(&first, "damaged").unwrap();
    let now = Instant::now();
    opened(directory.0.clone(), Some(now)).open().unwrap();
    assert!(first.exists());
    let past = now.checked_sub(TRUST).unwrap();
    opened(directory.0.clone(), Some(past)).open().unwrap();
    assert!(!first.exists());
}

#[test]
fn settings_are_written_again_where_they_are_damaged_or_gone() {
    let root = Temporary::new();
    let directory = opened(root.0.join("plugin"), None);
    let settings = directory.open().unwrap();
    let content = fs::read(&settings).unwrap();
    fs::write(&settings, "[cache]\ndirectory = \"/elsewhere\"").unwrap();
    assert_eq!(fs::read(directory.open().unwrap()).unwrap(), content);
    fs::remove_file(&settings).unwrap();
    fs::create_dir_all(settings.join("below")).unwrap();
    assert_eq!(fs::read(directory.open().unwrap()).unwrap(), content);
    fs::remove_dir_all(root.0.join("plugin")).unwrap();
    assert_eq!(fs::read(directory.open().unwrap()).unwrap(), content);
    let names = fs::read_dir(root.0.join("plugin")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [SETTINGS]);
}

#[test]
fn a_directory_is_not_made_where_there_is_no_cache() {
    let root = Temporary::new();
    let below = root.0.join("none").join("plugin");
    opened(below, None).open().unwrap_err();
    assert_eq!(fs::read_dir(&root.0).unwrap().count(), 0);
}

#[test]
fn paths_are_quoted() {
    let path = Path::new("/a \"b\"\\c\n\u{7f}é");
    assert_eq!(quoted(path).unwrap(), r#""/a \"b\"\\c\u000a\u007fé""#);
}

/// Makes a plugin's directory, named after a digit, that was used some time ago.
fn used(root: &Path, digit: &str, idle: Duration) -> PathBuf {
    let path = root.join(digit.repeat(64));
    fs::create_dir(&path).unwrap();
    fill(&path);
    complete(&path).unwrap();
    let list = File::options().write(true).open(path.join(LIST));
    let then = SystemTime::now().checked_sub(idle).unwrap();
    list.unwrap().set_modified(then).unwrap();
    path
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[test]
fn what_was_not_used_for_long_is_removed() {
    let root = Temporary::new();
    let [recent, old] = [("a", HOUR), ("b", HOUR * 3)].map(|(name, age)| used(&root.0, name, age));
    sweep(&root.0, u64::MAX, HOUR * 2).unwrap();
    assert!(recent.exists() && !old.exists());
    // Use renews it.
    complete(&recent).unwrap();
    sweep(&root.0, u64::MAX, HOUR / 2).unwrap();
    assert!(recent.exists());
}

#[test]
fn what_was_used_least_recently_is_removed_where_there_is_too_much() {
    let root = Temporary::new();
    let paths = ["c", "b", "a", "d"]
        .into_iter()
        .zip(0..)
        .map(|(name, hours)| used(&root.0, name, HOUR * hours));
    let paths: Vec<_> = paths.collect();
    // Each has 5 files, which take 6 blocks, and 4 directories.
    sweep(&root.0, 25 * 4096, HOUR * 100).unwrap();
    let left: Vec<_> = paths.iter().map(|path| path.exists()).collect();
    assert_eq!(left, [true, true, false, false]);
}

#[test]
fn what_is_no_plugins_is_not_removed() {
    let root = Temporary::new();
    let others = [
        "short".to_owned(),
        "g".repeat(64),
        "A".repeat(64),
        "a".repeat(65),
    ];
    for name in &others {
        fs::create_dir(root.0.join(name)).unwrap();
    }
    sweep(&root.0, 0, Duration::ZERO).unwrap();
    assert!(others.iter().all(|name| root.0.join(name).exists()));
}
