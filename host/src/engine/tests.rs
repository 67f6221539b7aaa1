//! Tests that change the process run in a child: the same binary, with that test alone.

use std::process::Command;
use std::task::{Context, Poll, Waker};
use std::thread;

use wasmtime::{Instance, Module, Store};

use super::*;

const CLASS: EngineClass = EngineClass {
    fuel: false,
    stack: StackClass::Small,
};

#[test]
fn the_smallest_stack_with_room_is_chosen() {
    for (bytes, class) in [
        (0, StackClass::Small),
        (1 << 20, StackClass::Small),
        ((1 << 20) + 1, StackClass::Medium),
        (4 << 20, StackClass::Medium),
        (5 << 20, StackClass::Large),
        (usize::MAX, StackClass::Large),
    ] {
        assert_eq!(StackClass::for_bytes(bytes), class);
    }
}

#[test]
fn each_class_has_one_engine() {
    let stacks = [StackClass::Small, StackClass::Medium, StackClass::Large];
    let mut engines = Vec::new();
    for (fuel, stack) in [false, true]
        .into_iter()
        .flat_map(|fuel| stacks.map(|stack| (fuel, stack)))
    {
        let class = EngineClass { fuel, stack };
        let made = thread::spawn(move || engine(class).unwrap())
            .join()
            .unwrap();
        assert!(std::ptr::eq(made, engine(class).unwrap()));
        assert_eq!(made.class, class);
        engines.push(made);
    }
    for (index, engine) in engines.iter().enumerate() {
        let others = &engines[..index];
        assert!(!others.iter().any(|other| std::ptr::eq(*other, *engine)));
        let same_code = others
            .iter()
            .filter(|other| other.class.fuel == engine.class.fuel);
        assert!(
            same_code
                .into_iter()
                .all(|other| other.fingerprint == engine.fingerprint)
        );
    }
    assert_ne!(engines[0].fingerprint, engines[3].fingerprint);
}

#[test]
fn errors_have_no_backtrace() {
    engine(CLASS).unwrap();
    // Whatever the environment says.
    let error = wasmtime::Error::msg("text");
    assert!(!format!("{error:?}").contains("backtrace"));
}

#[test]
fn a_thread_is_prepared_once_and_again() {
    for _ in 0..2 {
        prepare_thread().unwrap();
    }
    thread::spawn(prepare_thread).join().unwrap().unwrap();
}

#[test]
fn signal_handlers_are_the_runtimes() {
    engine(CLASS).unwrap();
    check_signal_handlers().unwrap();
}

#[test]
fn guests_run_in_little_address_space() {
    in_child(
        "ulimit -v 4000000",
        "engine::tests::guests_run_in_little_address_space",
        runs_guests,
    );
}

fn runs_guests() {
    prepare_thread().unwrap();
    let engine = engine(CLASS).unwrap();
    assert!(ffi::is_address_space_limited());
    let text = r#"(module (memory 1) (memory 1 100) (type $s (struct))
        (func (export "run") (result i32)
            (drop (struct.new $s))
            (drop (memory.grow (i32.const 600)))
            (i32.store (i32.const 39000000) (i32.const 42))
            (i32.load (i32.const 39000000))))"#;
    let module = Module::new(&engine.wasmtime, text).unwrap();
    let mut stores = Vec::new();
    for _ in 0..20 {
        let mut store = Store::new(&engine.wasmtime, ());
        store.set_epoch_deadline(u64::MAX / 2);
        assert_eq!(poll(run(&mut store, &module)).unwrap(), 42);
        stores.push(store);
    }
}

async fn run(store: &mut Store<()>, module: &Module) -> wasmtime::Result<i32> {
    let instance = Instance::new_async(&mut *store, module, &[]).await?;
    let function = instance.get_typed_func::<(), i32>(&mut *store, "run")?;
    function.call_async(store, ()).await
}

/// For futures that never wait.
fn poll<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

#[test]
fn a_thread_without_address_space_for_a_signal_stack_is_an_error() {
    in_child(
        "ulimit -v 4000000",
        "engine::tests::a_thread_without_address_space_for_a_signal_stack_is_an_error",
        fails_without_address_space,
    );
}

fn fails_without_address_space() {
    engine(CLASS).unwrap();
    let mut filled = Vec::new();
    for bytes in [64 << 20, 1 << 20, 128 << 10, 4096] {
        loop {
            let mut more = Vec::<u8>::new();
            if more.try_reserve_exact(bytes).is_err() {
                break;
            }
            filled.push(more);
            // The list itself must find room for the smallest.
            if filled.len() > 8000 {
                break;
            }
        }
    }
    let failure = prepare_thread();
    drop(filled);
    let failure = failure.unwrap_err();
    assert!(failure.message.contains("no address space"), "{failure}");
    prepare_thread().unwrap();
}

#[test]
fn a_signal_handler_that_was_replaced_is_an_error() {
    in_child(
        "true",
        "engine::tests::a_signal_handler_that_was_replaced_is_an_error",
        fails_with_another_handler,
    );
}

fn fails_with_another_handler() {
    check_signal_handlers().unwrap();
    engine(CLASS).unwrap();
    check_signal_handlers().unwrap();
    ffi::tests::ignore_illegal_instructions();
    let failure = check_signal_handlers().unwrap_err();
    assert_eq!(failure.code, Code::Signal);
    assert!(failure.message.contains("SIGILL"), "{failure}");
}

fn in_child(before: &str, test: &str, body: fn()) {
    const IS_CHILD: &str = "EXTISM_HOST_TEST_IN_CHILD";
    if std::env::var_os(IS_CHILD).is_some() {
        return body();
    }
    let binary = std::env::current_exe().unwrap();
    let script = format!("{before}; exec \"$0\" --exact {test} --test-threads 1");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(binary)
        .env(IS_CHILD, "")
        .output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}{error}", output.status);
    assert!(text.contains("1 passed"), "{text}");
}
