use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::call::Outcome;
use crate::log::LogFile;
use crate::module::{Module, link};

struct Sender(Option<std::sync::mpsc::Sender<Outcome>>);

impl Settle for Sender {
    fn settle(mut self: Box<Self>, outcome: Outcome) {
        self.0.take().unwrap().send(outcome).unwrap();
    }
}

fn plugin(wat: &str, timeout: u64) -> Plugin {
    let module = Module::read("main", wat.as_bytes()).unwrap();
    let recipe = Recipe {
        blueprint: link(vec![module], &[], true).unwrap(),
        functions: Vec::new(),
        http: None,
        logger: Arc::new(LogFile),
        config: Default::default(),
        wasi: true,
        allowed_paths: Default::default(),
        max_pages: None,
    };
    Plugin::new(recipe, Some(Duration::from_millis(timeout))).unwrap()
}

fn submit(plugin: &Plugin, name: &str, input: &[u8]) -> Receiver<Outcome> {
    let names = &plugin.recipe().blueprint.functions;
    let function = names.iter().position(|known| known == name).unwrap();
    let (sender, receiver) = channel();
    plugin.call(function, input.to_vec(), Box::new(Sender(Some(sender))));
    receiver
}

fn call(plugin: &Plugin, name: &str, input: &[u8]) -> Outcome {
    submit(plugin, name, input).recv().unwrap()
}

const ECHO: &str = r#"(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (global $calls (mut i32) (i32.const 0))
  (func (export "echo") (call $output_set (call $input_offset) (call $input_length)))
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.get $calls))
  (func (export "trap") unreachable)
  (func (export "nothing"))
  (func (export "spin") (loop $l (br $l))))"#;

#[test]
fn echoes() {
    let plugin = plugin(ECHO, 30_000);
    for _ in 0..1000 {
        assert_eq!(call(&plugin, "echo", b"hello").unwrap().unwrap(), b"hello");
    }
    assert_eq!(call(&plugin, "echo", b"").unwrap().unwrap(), b"");
    assert_eq!(call(&plugin, "nothing", b"x").unwrap(), None);
    let big = vec![7; 1 << 20];
    assert_eq!(call(&plugin, "echo", &big).unwrap().unwrap(), big);
}

#[test]
fn keeps_state_until_a_trap_and_starts_afresh_after_it() {
    let plugin = plugin(ECHO, 100);
    for failing in ["trap", "spin"] {
        for count in 1..=3 {
            assert_eq!(
                call(&plugin, "count", b"").unwrap_err().exit_code,
                Some(count)
            );
        }
        let failure = call(&plugin, failing, b"").unwrap_err();
        println!("{failure:?}");
    }
    assert_eq!(call(&plugin, "count", b"").unwrap_err().exit_code, Some(1));
}

#[test]
fn perf() {
    let plugin = plugin(ECHO, 30_000);
    call(&plugin, "echo", b"hello").unwrap();
    let t = Instant::now();
    let n = 200_000;
    let receivers: Vec<_> = (0..n)
        .map(|_| submit(&plugin, "echo", &[1; 1024]))
        .collect();
    for r in receivers {
        r.recv().unwrap().unwrap();
    }
    println!("{:?} a call", t.elapsed() / n);
    let t = Instant::now();
    for _ in 0..20000 {
        call(&plugin, "echo", &[1; 1024]).unwrap();
    }
    println!("{:?} a call, one after another", t.elapsed() / 20000);
}
