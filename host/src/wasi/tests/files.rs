//! Tests of opening, reading and writing files.

use std::fs;
use std::process::Command;

use super::guest::{CREATE, DIRECTORY, EXCLUSIVE, Guest, READ, TRUNCATE, Tree, WRITE, run};
use super::{INVALID, options};
use crate::error::Code;
use crate::wasi::{Wasi, WasiOptions};

const ACCESS: i32 = 2;
const BAD_DESCRIPTOR: i32 = 8;
const TOO_MANY: i32 = 33;
const TOO_LONG: i32 = 37;
const ABSENT: i32 = 44;
const NOT_A_DIRECTORY: i32 = 54;
const NOT_PERMITTED: i32 = 63;

const MEBIBYTE: usize = 1 << 20;

#[test]
fn a_pipe_or_a_socket_is_refused_at_once_and_keeps_no_thread() {
    let tree = Tree::new();
    let made = Command::new("mkfifo").arg(tree.path("pipe")).status();
    assert!(made.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(tree.path("socket")).unwrap();
    std::os::unix::fs::symlink("pipe", tree.path("link")).unwrap();
    run(async {
        let mut guest = tree.guest("");
        for name in ["pipe", "socket", "link", "dir/../pipe"] {
            for rights in [READ, WRITE, READ | WRITE] {
                for how in [0, CREATE, CREATE | EXCLUSIVE, TRUNCATE, DIRECTORY] {
                    assert_eq!(guest.open(name, how, rights).await, Err(ACCESS), "{name}");
                }
            }
            assert_eq!(guest.set_times(name, 1).await, ACCESS, "{name}");
        }
        // Without following, the times are those of the link itself.
        assert_eq!(guest.set_times("link", 0).await, 0);
        assert!(guest.open("file", 0, READ).await.is_ok());
    });
}

#[test]
fn there_are_256_open_files_and_others_once_some_are_closed() {
    let tree = Tree::new();
    run(async {
        let mut guest = tree.guest("");
        let mut opened = Vec::new();
        let error = loop {
            match guest.open("file", 0, READ).await {
                Ok(fd) => opened.push(fd),
                Err(error) => break error,
            }
        };
        assert_eq!((error, opened.len()), (TOO_MANY, 256));
        assert_eq!(guest.call("fd_close", &[opened[0]]).await.unwrap(), 0);
        assert_eq!(
            guest.call("fd_close", &[opened[0]]).await.unwrap(),
            BAD_DESCRIPTOR
        );
        for (from, to) in [(1, 2), (2, 2)] {
            let numbers = [opened[from], opened[to]];
            assert_eq!(guest.call("fd_renumber", &numbers).await.unwrap(), 0);
        }
        for _ in 0..2 {
            guest.open("dir", DIRECTORY, READ).await.unwrap();
        }
        assert_eq!(guest.open("file", 0, READ).await, Err(TOO_MANY));
        // Standard streams do not count. A file that is moved to the number of one does.
        assert_eq!(guest.call("fd_renumber", &[opened[3], 1]).await.unwrap(), 0);
        assert_eq!(guest.open("file", 0, READ).await, Err(TOO_MANY));
        assert_eq!(guest.call("fd_close", &[2]).await.unwrap(), 0);
        assert_eq!(guest.open("file", 0, READ).await, Err(TOO_MANY));
        assert_eq!(guest.call("fd_close", &[1]).await.unwrap(), 0);
        assert!(guest.open("file", 0, READ).await.is_ok());
    });
}

#[test]
fn a_directory_has_no_way_out() {
    let tree = Tree::new();
    std::os::unix::fs::symlink("../secret", tree.path("relative")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", tree.path("absolute")).unwrap();
    run(async {
        let mut guest = tree.guest("");
        for name in [
            "..",
            "../secret",
            "dir/../../secret",
            "/etc/hostname",
            "relative",
            "absolute",
        ] {
            for how in [0, CREATE] {
                assert_eq!(
                    guest.open(name, how, READ).await,
                    Err(NOT_PERMITTED),
                    "{name}"
                );
            }
            assert_eq!(guest.set_times(name, 1).await, NOT_PERMITTED, "{name}");
        }
        for (name, error) in [
            ("fi\0le", INVALID),
            ("", ABSENT),
            ("none", ABSENT),
            ("none/../file", ABSENT),
            ("file/", NOT_A_DIRECTORY),
            ("file/../file", NOT_A_DIRECTORY),
        ] {
            assert_eq!(guest.open(name, 0, READ).await, Err(error), "{name}");
        }
        assert_eq!(
            guest.open("x".repeat(300).as_str(), 0, READ).await,
            Err(TOO_LONG)
        );
        assert_eq!(guest.unlink(&"x".repeat(100_000)).await, TOO_LONG);
        assert_eq!(guest.open_in(9, "file", 0, READ).await, Err(BAD_DESCRIPTOR));
        let file = guest.open("file", 0, READ).await.unwrap();
        assert_eq!(
            guest.open_in(file, "file", 0, READ).await,
            Err(NOT_A_DIRECTORY)
        );
    });
}

#[test]
fn a_directory_that_may_only_be_read_is_not_written_to() {
    let tree = Tree::new();
    run(async {
        let mut guest = tree.guest("ro:");
        for (name, how, rights) in [
            ("file", 0, WRITE),
            ("file", TRUNCATE, READ),
            ("new", CREATE, READ),
            ("new", CREATE | EXCLUSIVE, WRITE),
        ] {
            assert_eq!(guest.open(name, how, rights).await, Err(NOT_PERMITTED));
        }
        assert_eq!(guest.set_times("file", 1).await, NOT_PERMITTED);
        assert_eq!(guest.unlink("file").await, NOT_PERMITTED);
        let file = guest.open("file", 0, READ).await.unwrap();
        guest.put_buffers(&[(100, 4)]);
        assert_ne!(guest.call("fd_write", &[file, 0, 1, 56]).await.unwrap(), 0);
        assert_ne!(
            guest
                .call("fd_filestat_set_size", &[file, 0])
                .await
                .unwrap(),
            0
        );
        assert_eq!(fs::read(tree.path("file")).unwrap(), b"mine");
    });
}

#[test]
fn an_allowed_path_that_is_no_directory_is_named() {
    let tree = Tree::new();
    let cases = [
        (tree.path("none"), "No such file or directory"),
        (tree.path("file"), "Not a directory"),
        (tree.path("nul\0"), ""),
    ];
    for (path, why) in cases {
        for prefix in ["", "ro:"] {
            let host = format!("{prefix}{}", path.display());
            let allowed_paths = vec![(host.clone(), "/".to_owned())];
            let failure = Wasi::new(&WasiOptions {
                allowed_paths,
                ..options()
            });
            let failure = failure.err().unwrap();
            assert_eq!(failure.code, Code::Instance);
            let start = format!(
                "the plugin cannot be instantiated: the allowed path \"{host}\" is not a directory: "
            );
            assert!(failure.message.starts_with(&start), "{}", failure.message);
            assert!(failure.message.contains(why), "{}", failure.message);
        }
    }
}

/// Reads or writes until all is done: the number of bytes of each call.
async fn all(guest: &mut Guest, name: &str, fd: i64, at: usize, length: usize) -> Vec<usize> {
    let mut pieces = Vec::new();
    let mut done = 0;
    while done < length {
        guest.put_buffers(&[(0, 0), ((at + done) as u32, (length - done) as u32)]);
        let inputs = match name {
            "fd_pread" | "fd_pwrite" => vec![fd, 0, 2, done as i64, 56],
            _ => vec![fd, 0, 2, 56],
        };
        assert_eq!(guest.call(name, &inputs).await.unwrap(), 0);
        pieces.push(guest.u32(56) as usize);
        done += guest.u32(56) as usize;
    }
    pieces
}

#[test]
fn large_files_are_read_and_written_a_mebibyte_at_a_time() {
    let tree = Tree::new();
    run(async {
        let mut guest = tree.guest("");
        let (at, other, length) = (MEBIBYTE, 8 * MEBIBYTE, 5 * MEBIBYTE / 2);
        let pattern: Vec<u8> = (0..length).map(|i| (i / 7) as u8).collect();
        for write in ["fd_write", "fd_pwrite"] {
            guest.put(at, &pattern);
            let file = guest.open("large", CREATE | TRUNCATE, WRITE).await.unwrap();
            let pieces = all(&mut guest, write, file, at, length).await;
            assert_eq!(pieces, [MEBIBYTE, MEBIBYTE, MEBIBYTE / 2], "{write}");
            assert!(fs::read(tree.path("large")).unwrap() == pattern, "{write}");
        }
        for (read, piece) in [("fd_read", MEBIBYTE), ("fd_pread", 64 << 10)] {
            guest.bytes()[other..].fill(0);
            let file = guest.open("large", 0, READ).await.unwrap();
            let pieces = all(&mut guest, read, file, other, length).await;
            assert_eq!(pieces.first(), Some(&piece), "{read}");
            assert!(guest.bytes()[other..][..length] == pattern, "{read}");
            assert_eq!(guest.bytes()[other + length], 0, "{read}");
        }
    });
}
