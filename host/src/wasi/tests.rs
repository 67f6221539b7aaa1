//! Tests of WASI.

mod files;
mod guest;
mod limits;
mod output;

use super::{Exit, WasiOptions};
use guest::{Guest, run};

const INVALID: i32 = 28;

fn options() -> WasiOptions {
    WasiOptions {
        allowed_paths: Vec::new(),
        terminal: [false; 2],
        output: None,
    }
}

#[test]
fn an_exit_has_any_code() {
    run(async {
        for code in [0, 1, 125, 126, 255, 500, -1, i32::MIN, i32::MAX] {
            let mut guest = Guest::new(&options());
            let error = guest.call("proc_exit", &[code.into()]).await.unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&Exit(code)));
        }
    });
}

#[test]
fn an_exit_needs_no_memory() {
    run(async {
        let text = r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (func (export "run") (call $exit (i32.const 3))))"#;
        let mut guest = Guest::of(text, &options());
        let error = guest.call("run", &[]).await.unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Exit(3)));
    });
}

#[test]
fn there_are_no_arguments_no_environment_and_no_input() {
    run(async {
        let mut guest = Guest::new(&options());
        for name in ["args_sizes_get", "environ_sizes_get"] {
            guest.put(0, &[0xff; 8]);
            assert_eq!(guest.call(name, &[0, 4]).await.unwrap(), 0);
            assert_eq!([guest.u32(0), guest.u32(4)], [0, 0], "{name}");
        }
        guest.put_buffers(&[(1000, 8)]);
        assert_eq!(guest.call("fd_read", &[0, 0, 1, 500]).await.unwrap(), 0);
        assert_eq!(guest.u32(500), 0);
    });
}

#[test]
fn clocks_are_real() {
    run(async {
        let mut guest = Guest::new(&options());
        assert_eq!(guest.call("clock_time_get", &[0, 1, 0]).await.unwrap(), 0);
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
        let guests = guest.u64(0) / 1_000_000_000;
        assert!(now.as_secs().abs_diff(guests) < 5);
    });
}
