//! Tests of calls that a guest could make long.

use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

use super::guest::{Guest, READ, Tree, run};
use super::{INVALID, options};

/// The number of polls that a future takes, and its output.
async fn polls<F: Future>(future: F) -> (u32, F::Output) {
    let mut future = pin!(future);
    let mut polls = 0;
    let output = poll_fn(|context| {
        polls += 1;
        future.as_mut().poll(context)
    });
    let output = output.await;
    (polls, output)
}

#[test]
fn random_bytes_are_made_in_pieces() {
    run(async {
        let mut guest = Guest::new(&options());
        let length = 10 << 20;
        let (polls, error) = polls(guest.call("random_get", &[1000, length])).await;
        assert_eq!((error.unwrap(), polls), (0, 40));
        let bytes = &guest.bytes()[1000..][..length as usize];
        assert!(
            bytes
                .chunks(1024)
                .all(|bytes| bytes.iter().any(|byte| *byte != 0))
        );
        assert!(
            guest.bytes()[1000 + length as usize..]
                .iter()
                .all(|byte| *byte == 0)
        );
        // Beyond the memory.
        assert!(guest.call("random_get", &[0, 65 << 20]).await.is_err());
        let mut guest = Guest::new(&options());
        assert_eq!(guest.call("random_get", &[7, 0]).await.unwrap(), 0);
    });
}

/// Puts subscriptions to the monotonic clock at the beginning of the memory.
fn put_clocks(guest: &mut Guest, count: usize, nanoseconds: u64) {
    for i in 0..count {
        guest.put(i * 48, &[0; 48]);
        guest.put(i * 48 + 16, &1u32.to_le_bytes());
        guest.put(i * 48 + 24, &nanoseconds.to_le_bytes());
    }
}

#[test]
fn a_poll_has_1024_subscriptions() {
    run(async {
        let mut guest = Guest::new(&options());
        put_clocks(&mut guest, 1025, 1000);
        for (count, error) in [(1024, 0), (1025, INVALID), (0, INVALID), (-1, INVALID)] {
            let inputs = [0, 100_000, count, 200_000];
            assert_eq!(
                guest.call("poll_oneoff", &inputs).await.unwrap(),
                error,
                "{count}"
            );
        }
    });
}

#[test]
fn a_sleep_takes_as_long_as_it_says() {
    run(async {
        let mut guest = Guest::new(&options());
        put_clocks(&mut guest, 1, 20_000_000);
        let start = Instant::now();
        assert_eq!(
            guest
                .call("poll_oneoff", &[0, 1000, 1, 2000])
                .await
                .unwrap(),
            0
        );
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(guest.u32(2000), 1);
    });
}

#[test]
fn a_sleep_can_end_in_the_middle_whatever_memories_there_are() {
    let text = |memories: &str| {
        format!(
            r#"(module
                (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
                {memories}
                (data (i32.const 24) "\00\a0\b8\30\46\03\00\00")
                (func (export "run") (result i32)
                    (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))"#
        )
    };
    let memories = [
        r#"(memory (export "memory") 1)"#,
        r#"(memory (export "memory") 1) (memory 1)"#,
    ];
    run(async {
        for memories in memories {
            let mut guest = Guest::of(&text(memories), &options());
            let sleeping = guest.call("run", &[]);
            let ended = tokio::time::timeout(Duration::from_millis(30), sleeping).await;
            assert!(ended.is_err(), "{memories}");
            let start = Instant::now();
            drop(guest);
            assert!(start.elapsed() < Duration::from_secs(1));
        }
    });
}

#[test]
fn files_and_output_are_ready_at_once() {
    let tree = Tree::new();
    run(async {
        let mut guest = tree.guest("");
        let file = guest.open("file", 0, READ).await.unwrap();
        for (kind, fd) in [(1u8, 0), (1, file), (2, 1), (2, 2), (2, file)] {
            guest.put(0, &[0; 96]);
            guest.put(8, &[kind]);
            guest.put(16, &(fd as u32).to_le_bytes());
            // And one to the clock, for an hour.
            guest.put(48 + 16, &1u32.to_le_bytes());
            guest.put(48 + 24, &3_600_000_000_000u64.to_le_bytes());
            let error = guest
                .call("poll_oneoff", &[0, 1000, 2, 2000])
                .await
                .unwrap();
            assert_eq!((error, guest.u32(2000)), (0, 1), "{kind} {fd}");
            assert_eq!(guest.bytes()[1010], kind);
        }
    });
}

#[test]
fn a_list_has_1024_buffers() {
    run(async {
        let mut guest = Guest::new(&options());
        for (name, fd) in [("fd_read", 0), ("fd_write", 1)] {
            let mut inputs = [fd, 0, 1024, 20_000];
            assert_eq!(guest.call(name, &inputs).await.unwrap(), 0);
            inputs[2] = 1025;
            assert_eq!(guest.call(name, &inputs).await.unwrap(), INVALID);
        }
        for name in ["fd_pread", "fd_pwrite"] {
            let inputs = [0, 0, 1025, 0, 20_000];
            assert_eq!(guest.call(name, &inputs).await.unwrap(), INVALID);
        }
    });
}

#[test]
fn listing_a_large_directory_gives_the_thread_back() {
    let tree = Tree::new();
    for i in 0..500 {
        std::fs::write(tree.path(&format!("dir/{i}")), "").unwrap();
    }
    run(async {
        let mut guest = tree.guest("");
        let directory = guest.open("dir", 2, READ).await.unwrap();
        let inputs = [directory, 4096, 100_000, 0, 0];
        let (polls, error) = polls(guest.call("fd_readdir", &inputs)).await;
        assert_eq!(error.unwrap(), 0);
        assert!(guest.u32(0) > 500 * 25);
        // A lookup that is done before it is awaited takes no poll.
        assert!(polls > 50, "{polls}");
    });
}
