//! What becomes of damaged files, and what a sweep removes.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::super::sweep::{Limits, sweep};
use super::*;

/// Compiles with a file that was damaged, and once more with what is there then.
fn assert_replaced(name: &str, damage: impl FnOnce(&Path)) {
    let cache = Temporary::new();
    let bytes = module();
    drop(compiled(&bytes, &cache.0));
    let file = cache.file();
    damage(&file);
    drop(compiled(&bytes, &cache.0));
    assert_eq!(compilations(&bytes), 2, "{name}");
    assert_eq!(cache.file(), file);
    drop(compiled(&bytes, &cache.0));
    assert_eq!(compilations(&bytes), 2, "{name}: not replaced");
}

#[test]
fn a_file_with_a_flipped_bit_is_replaced() {
    for position in [0, 31, 32, 33, 100, 1000, usize::MAX] {
        assert_replaced(&format!("byte {position}"), |file| {
            let mut content = fs::read(file).unwrap();
            let position = position.min(content.len() - 1);
            content[position] ^= 1 << (position % 8);
            fs::write(file, content).unwrap();
        });
    }
}

#[test]
fn a_file_of_another_length_is_replaced() {
    for length in [0, 1, 31, 32, 33, 1000] {
        assert_replaced(&format!("{length} bytes"), |file| {
            File::options()
                .write(true)
                .open(file)
                .unwrap()
                .set_len(length)
                .unwrap();
        });
    }
    assert_replaced("longer", |file| {
        let mut content = fs::read(file).unwrap();
        content.push(0);
        fs::write(file, content).unwrap();
    });
    assert_replaced("enormous", |file| {
        File::options()
            .write(true)
            .open(file)
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
    });
}

#[test]
fn a_file_under_the_name_of_another_is_replaced() {
    let other = Temporary::new();
    drop(compiled(&module(), &other.0));
    assert_replaced("another module's", |file| {
        fs::copy(other.file(), file).unwrap();
    });
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_replaced() {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    assert_replaced("directory", |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir_all(file.join("below")).unwrap();
    });
    for target in ["nowhere", ".", "/proc/self/exe", "/dev/zero"] {
        assert_replaced(&format!("link to {target}"), |file| {
            fs::remove_file(file).unwrap();
            symlink(target, file).unwrap();
        });
    }
    assert_replaced("pipe", |file| {
        fs::remove_file(file).unwrap();
        assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
    });
}

#[cfg(unix)]
#[test]
fn a_cache_is_made_for_the_user_alone() {
    use std::os::unix::fs::PermissionsExt;

    let above = Temporary::new();
    let root = above.0.join("cache \"é\"\n");
    drop(compiled(&module(), &root));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&root), 0o700);
    let file = fs::read_dir(&root).unwrap().next().unwrap().unwrap();
    assert_eq!(mode(&file.path()), 0o600);
}

#[test]
fn a_cache_that_cannot_be_used_is_no_failure() {
    let above = Temporary::new();
    let file = above.0.join("file");
    fs::write(&file, "").unwrap();
    let long = format!("/{}", "x".repeat(300));
    for root in [
        &file,
        &file.join("below"),
        &above.0.join("none").join("below"),
        Path::new("/dev/null"),
        Path::new("/proc"),
        Path::new("relative/none"),
        Path::new(&long),
    ] {
        let bytes = module();
        drop(compiled(&bytes, root));
        assert!(!is_known(small(), &bytes, Some(root)));
    }
    assert_eq!(above.names(), ["file"]);
}

#[test]
fn a_file_that_cannot_be_replaced_does_no_harm() {
    let cache = Temporary::new();
    let bytes = module();
    drop(compiled(&bytes, &cache.0));
    let file = cache.file();
    fs::write(&file, "damaged").unwrap();
    let mut permissions = fs::metadata(&cache.0).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&cache.0, permissions.clone()).unwrap();
    // Root may write nevertheless.
    drop(compiled(&bytes, &cache.0));
    assert_eq!(compilations(&bytes), 2);
    #[allow(
        clippy::permissions_set_readonly_false,
        reason = "the directory is removed next"
    )]
    permissions.set_readonly(false);
    fs::set_permissions(&cache.0, permissions).unwrap();
}

const HOUR: Duration = Duration::from_secs(60 * 60);

fn set_age(path: &Path, age: Duration) {
    let then = SystemTime::now().checked_sub(age).unwrap();
    File::open(path).unwrap().set_modified(then).unwrap();
}

fn age(path: &Path) -> Duration {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    modified.elapsed().unwrap_or_default()
}

#[test]
fn use_renews_the_time_of_a_file_once_a_day() {
    let cache = Temporary::new();
    let bytes = module();
    drop(compiled(&bytes, &cache.0));
    for (before, is_renewed) in [(HOUR * 23, false), (HOUR * 25, true)] {
        set_age(&cache.file(), before);
        drop(compiled(&bytes, &cache.0));
        assert_eq!(age(&cache.file()) < HOUR, is_renewed);
    }
    assert_eq!(compilations(&bytes), 1);
}

/// Makes a file of one block and says when it was used.
fn used(root: &Path, name: &str, hours: u32) {
    fs::write(root.join(name), "code").unwrap();
    set_age(&root.join(name), HOUR * hours);
}

const LIMITS: Limits = Limits {
    bytes: u64::MAX,
    idle: Duration::from_secs(100 * 60 * 60),
    draft: HOUR,
};

fn code(digit: &str) -> String {
    format!("{}.cwasm", digit.repeat(64))
}

#[test]
fn code_that_was_not_used_for_long_is_swept() {
    let root = Temporary::new();
    used(&root.0, &code("a"), 1);
    used(&root.0, &code("b"), 3);
    let idle = HOUR * 2;
    sweep(&root.0, &Limits { idle, ..LIMITS }).unwrap();
    assert_eq!(root.names(), [code("a")]);
}

#[test]
fn the_code_used_least_recently_is_swept_where_there_is_too_much() {
    let root = Temporary::new();
    for (name, hours) in [("c", 0), ("b", 1), ("a", 2), ("d", 3)] {
        used(&root.0, &code(name), hours);
    }
    let bytes = 2 * 4096;
    sweep(&root.0, &Limits { bytes, ..LIMITS }).unwrap();
    assert_eq!(root.names(), [code("b"), code("c")]);
}

#[test]
fn drafts_of_killed_processes_are_swept() {
    let root = Temporary::new();
    let draft = |digit: &str| format!("{}.{}.draft", "a".repeat(64), digit.repeat(16));
    used(&root.0, &draft("1"), 0);
    used(&root.0, &draft("2"), 2);
    sweep(&root.0, &LIMITS).unwrap();
    assert_eq!(root.names(), [draft("1")]);
}

#[test]
fn directories_of_the_version_before_are_swept() {
    let root = Temporary::new();
    let old = root.0.join("a".repeat(64));
    fs::create_dir_all(old.join("code/modules")).unwrap();
    fs::write(old.join("settings.toml"), "[cache]").unwrap();
    sweep(&root.0, &LIMITS).unwrap();
    assert_eq!(root.names(), [""; 0]);
}

#[test]
fn what_has_another_name_is_not_swept() {
    let root = Temporary::new();
    let others = [
        "short.cwasm".to_owned(),
        "settings.toml".to_owned(),
        "A".repeat(64),
        "b".repeat(64),
        format!("{}.cwasm", "g".repeat(64)),
        format!("{}.cwasm", "a".repeat(65)),
        format!("{}.draft", "a".repeat(64)),
        format!("{}.short.draft", "a".repeat(64)),
    ];
    for name in &others {
        used(&root.0, name, 1000);
    }
    let [directory, link] = ["c", "d"].map(|digit| root.0.join(code(digit)));
    fs::create_dir(&directory).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    let before = root.names();
    let bytes = 0;
    let idle = Duration::ZERO;
    sweep(
        &root.0,
        &Limits {
            bytes,
            idle,
            ..LIMITS
        },
    )
    .unwrap();
    assert_eq!(root.names(), before);
}
