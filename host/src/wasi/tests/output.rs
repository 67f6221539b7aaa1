//! Tests of what guests print.

use std::sync::{Arc, Mutex};

use super::guest::{Guest, run};
use super::options;
use crate::log::{Output, Passed};
use crate::wasi::WasiOptions;

const NO_MEMORY: i32 = 48;
const CHARACTER_DEVICE: u8 = 2;
const SEEK_OR_TELL: u64 = 0x24;

/// Keeps what is printed, as often as `answer` accepts it.
struct Taken<F> {
    answer: F,
    times: Mutex<u32>,
    bytes: Mutex<[Vec<u8>; 2]>,
}

impl<F: Fn(u32) -> Passed + Send + Sync> Output for Taken<F> {
    fn print(&self, is_error: bool, bytes: &[u8]) -> Passed {
        let mut times = self.times.lock().unwrap();
        *times += 1;
        let answer = (self.answer)(*times);
        if let Passed::On = answer {
            self.bytes.lock().unwrap()[usize::from(is_error)].extend_from_slice(bytes);
        }
        answer
    }
}

/// A guest, and where its output goes.
fn printing<F>(answer: F) -> (Guest, Arc<Taken<F>>)
where
    F: Fn(u32) -> Passed + Send + Sync + 'static,
{
    let taken = Arc::new(Taken {
        answer,
        times: Mutex::default(),
        bytes: Mutex::default(),
    });
    let guest = Guest::new(&WasiOptions {
        output: Some(taken.clone()),
        terminal: [true, false],
        ..options()
    });
    (guest, taken)
}

/// Prints bytes: the error, and the number of bytes written.
async fn print(guest: &mut Guest, fd: i64, length: u32) -> (i32, u32) {
    guest.put_buffers(&[(0, 0), (1000, length)]);
    guest.put(500, &[0; 4]);
    let error = guest.call("fd_write", &[fd, 0, 2, 500]).await.unwrap();
    (error, guest.u32(500))
}

async fn kind(guest: &mut Guest, fd: i64) -> (u8, u64) {
    assert_eq!(guest.call("fd_fdstat_get", &[fd, 0]).await.unwrap(), 0);
    let rights = guest.u64(8);
    (guest.bytes()[0], rights)
}

#[test]
fn a_terminal_is_a_character_device_that_cannot_seek() {
    run(async {
        let (mut guest, _) = printing(|_| Passed::On);
        let (kind_of_output, rights) = kind(&mut guest, 1).await;
        assert_eq!(
            (kind_of_output, rights & SEEK_OR_TELL),
            (CHARACTER_DEVICE, 0)
        );
        assert_ne!(kind(&mut guest, 2).await.0, CHARACTER_DEVICE);
        let mut silent = Guest::new(&WasiOptions {
            terminal: [true; 2],
            ..options()
        });
        for fd in [0, 1, 2] {
            assert_ne!(kind(&mut silent, fd).await.0, CHARACTER_DEVICE);
        }
    });
}

#[test]
fn what_is_printed_goes_to_its_stream_whole() {
    run(async {
        let (mut guest, taken) = printing(|_| Passed::On);
        guest.put(1000, b"printed");
        assert_eq!(print(&mut guest, 1, 3).await, (0, 3));
        assert_eq!(print(&mut guest, 2, 7).await, (0, 7));
        assert_eq!(
            *taken.bytes.lock().unwrap(),
            [b"pri".to_vec(), b"printed".to_vec()]
        );
        assert_eq!(print(&mut guest, 1, 5_000_000).await, (0, 5_000_000));
        assert_eq!(taken.bytes.lock().unwrap()[0].len(), 5_000_003);
        assert_eq!(print(&mut guest, 1, 0).await, (0, 0));
    });
}

#[test]
fn what_goes_nowhere_is_accepted_whole() {
    run(async {
        let mut guest = Guest::new(&options());
        assert_eq!(print(&mut guest, 1, 5_000_000).await, (0, 5_000_000));
        assert_eq!(print(&mut guest, 2, 7).await, (0, 7));
    });
}

#[test]
fn there_may_be_room_later() {
    run(async {
        let (mut guest, taken) = printing(|times| match times % 4 {
            0 => Passed::On,
            _ => Passed::Later,
        });
        assert_eq!(print(&mut guest, 1, 10_000).await, (0, 10_000));
        assert_eq!(taken.bytes.lock().unwrap()[0].len(), 10_000);
        assert_eq!(*taken.times.lock().unwrap(), 12);
    });
}

#[test]
fn waiting_for_room_can_end_in_the_middle() {
    run(async {
        let (mut guest, taken) = printing(|_| Passed::Later);
        let printing = tokio::time::timeout(
            std::time::Duration::from_millis(30),
            print(&mut guest, 1, 10),
        );
        assert!(printing.await.is_err());
        drop(guest);
        assert!(*taken.times.lock().unwrap() > 1);
    });
}

#[test]
fn without_room_printing_fails_unless_there_was_some() {
    run(async {
        let (mut guest, taken) = printing(|times| match times {
            2.. => Passed::Never,
            _ => Passed::On,
        });
        assert_eq!(print(&mut guest, 1, 10_000).await, (0, 4096));
        assert_eq!(print(&mut guest, 1, 10_000).await, (NO_MEMORY, 0));
        assert_eq!(print(&mut guest, 1, 0).await, (0, 0));
        assert_eq!(print(&mut guest, 2, 1).await, (NO_MEMORY, 0));
        assert_eq!(taken.bytes.lock().unwrap()[0].len(), 4096);
    });
}
