//! Each test has a ticker of its own: that of the process may be kept awake by other tests.

use std::thread::sleep;

use super::*;

fn wait_until(what: &str, is_true: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_true() {
        assert!(begin.elapsed() < Duration::from_secs(10), "never: {what}");
        sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_ticker_ticks_while_a_guest_runs_and_rests_after_a_while() {
    static TICKER: Ticker = Ticker::new();
    let ticks = || TICKER.ticks.load(SeqCst);
    let first = TICKER.running().unwrap();
    drop(TICKER.running().unwrap());
    let before = ticks();
    sleep(LINGER * 3);
    wait_until("ticks", || ticks() > before + 10);
    assert!(!TICKER.parked.load(SeqCst));
    drop(first);
    wait_until("parked", || TICKER.parked.load(SeqCst));
    let before = ticks();
    sleep(LINGER);
    assert_eq!(ticks(), before);
}

#[test]
fn calls_shorter_than_a_tick_keep_the_ticker_awake() {
    static TICKER: Ticker = Ticker::new();
    let mut parked = 0;
    for _ in 0..100 {
        // It may have parked where the machine stood still.
        parked += usize::from(TICKER.parked.load(SeqCst));
        drop(TICKER.running().unwrap());
        sleep(Duration::from_millis(3));
    }
    assert!(parked < 20, "{parked}");
}

#[test]
fn a_guest_that_begins_while_the_ticker_parks_wakes_it() {
    static TICKER: Ticker = Ticker::new();
    let ticks = || TICKER.ticks.load(SeqCst);
    for round in 0..20 {
        let running = TICKER.running().unwrap();
        let before = ticks();
        wait_until(&format!("tick in round {round}"), || ticks() > before);
        drop(running);
        // Some begin before it has parked, some just then, some after.
        sleep(LINGER - Duration::from_millis(3) + Duration::from_micros(500) * round);
    }
}

#[test]
fn the_ticker_of_the_process_increments_the_epochs_of_engines() {
    use crate::engine::{EngineClass, StackClass, engine};

    let stack = StackClass::Small;
    let engine = engine(EngineClass { fuel: false, stack }).unwrap();
    let module = wasmtime::Module::new(
        &engine.wasmtime,
        r#"(module (func (export "spin") (loop (br 0))))"#,
    );
    let mut store = wasmtime::Store::new(&engine.wasmtime, ());
    store.set_epoch_deadline(3);
    let instance = wasmtime::Instance::new(&mut store, &module.unwrap(), &[]).unwrap();
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin");
    let _running = running().unwrap();
    let trap = spin.unwrap().call(&mut store, ()).unwrap_err();
    let trap = trap.downcast_ref::<wasmtime::Trap>();
    assert_eq!(trap, Some(&wasmtime::Trap::Interrupt));
}
