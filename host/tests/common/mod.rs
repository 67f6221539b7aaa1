//! An embedder for tests: it owns a queue, polls tasks on the test's thread, answers host functions
//! and keeps what calls ended with.
#![allow(dead_code, reason = "no test needs all of it")]

pub mod source;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use extism_host::call::{Call, Outcome};
use extism_host::engine;
use extism_host::environment::{Step, Turn};
use extism_host::error::{Code, Failure};
use extism_host::executor::Queue;
use extism_host::host_call::{HostCall, Return};
use extism_host::log::Kind;
use extism_host::pool::{PluginSource, Pool};
use wasmtime::Val;

/// No test waits longer for an event: a machine under load is slow, but not that slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// Answers a host call, or leaves it waiting.
pub type Answer = Box<dyn FnMut(&Arc<HostCall>) -> Option<Return>>;

pub struct Embedder {
    pub queue: Arc<Queue>,
    /// What the operations of these numbers have ended with.
    pub settled: BTreeMap<u64, Outcome>,
    /// The numbers of the same, in the order in which they ended.
    pub order: Vec<u64>,
    pub answer: Answer,
    /// Host calls that were left waiting.
    pub waiting: Vec<Arc<HostCall>>,
    pub forgotten: Vec<u32>,
    pub messages: Vec<(Kind, String)>,
}

impl Embedder {
    pub fn new() -> Self {
        engine::prepare_thread().unwrap();
        let test = thread::current();
        Self {
            queue: Queue::new(Box::new(move || test.unpark())),
            settled: BTreeMap::new(),
            order: Vec::new(),
            answer: Box::new(|_| None),
            waiting: Vec::new(),
            forgotten: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// One turn of the loop. Whether something is left to be done.
    pub fn turn(&mut self) -> bool {
        let turn = Turn::bounded();
        loop {
            match turn.step(&self.queue) {
                Step::Idle => return false,
                Step::TurnOver => return true,
                Step::Forget(id) => self.forgotten.push(id),
                Step::Message(message) => {
                    let text = String::from_utf8_lossy(&message.bytes).into_owned();
                    self.messages.push((message.kind, text));
                }
                Step::HostCall(call) => match (self.answer)(&call) {
                    Some(returned) => drop(call.finish(returned)),
                    None => self.waiting.push(call),
                },
                Step::Settled(id, outcome) => {
                    let before = self.settled.insert(id, outcome);
                    assert!(before.is_none(), "call {id} was settled twice");
                    self.order.push(id);
                }
            }
        }
    }

    /// Runs turns until something is so.
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
            if !self.turn() && !is_so(self) {
                thread::park_timeout(Duration::from_millis(20));
            }
        }
    }

    /// Runs turns for so long.
    pub fn run_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if !self.turn() {
                thread::park_timeout(left);
            }
        }
    }

    pub fn wait(&mut self, id: u64) -> Outcome {
        self.until("a call is settled", |host| host.settled.contains_key(&id));
        self.settled.remove(&id).unwrap()
    }

    /// Waits until a host call waits, which is left waiting.
    pub fn host_call(&mut self) -> Arc<HostCall> {
        self.until("a host function is called", |host| !host.waiting.is_empty());
        self.waiting.remove(0)
    }
}

/// Numbers for operations, in the order in which they are asked for.
pub fn next_id() -> u64 {
    static IDS: AtomicU64 = AtomicU64::new(1);
    IDS.fetch_add(1, Relaxed)
}

/// A plugin, and the embedder of its thread.
pub struct Plugin {
    pub pool: Arc<Pool>,
    pub host: Embedder,
    names: HashMap<String, usize>,
}

impl Plugin {
    pub fn open(source: PluginSource) -> Self {
        Self::try_open(source).unwrap()
    }

    pub fn try_open(source: PluginSource) -> Result<Self, Failure> {
        let host = Embedder::new();
        let pool = Pool::open(source, host.queue.clone())?.compile()?;
        Ok(Self::of(pool, host))
    }

    pub fn of(pool: Arc<Pool>, host: Embedder) -> Self {
        let names = pool.linked.entry_points.iter().enumerate();
        let names = names.map(|(position, entry)| (entry.name.clone(), position));
        Self {
            names: names.collect(),
            pool,
            host,
        }
    }

    pub fn make(&self, name: &str, input: &[u8]) -> Call {
        Call {
            id: next_id(),
            function: Some(self.names[name]),
            input: input.to_vec(),
            timeout: None,
            nested: false,
            queue: self.host.queue.clone(),
            queued: Instant::now(),
        }
    }

    pub fn submit(&self, name: &str, input: &[u8]) -> u64 {
        self.submit_with(name, input, |_| {})
    }

    pub fn submit_with(&self, name: &str, input: &[u8], change: impl FnOnce(&mut Call)) -> u64 {
        let mut call = self.make(name, input);
        change(&mut call);
        let id = call.id;
        self.pool.submit(call);
        id
    }

    pub fn submit_timed(&self, name: &str, timeout: Duration) -> u64 {
        self.submit_with(name, b"", |call| call.timeout = Some(timeout))
    }

    pub fn wait(&mut self, id: u64) -> Outcome {
        self.host.wait(id)
    }

    pub fn call(&mut self, name: &str, input: &[u8]) -> Outcome {
        let id = self.submit(name, input);
        self.wait(id)
    }

    /// The output of a call that is to succeed and to have one.
    pub fn output(&mut self, name: &str, input: &[u8]) -> Vec<u8> {
        let outcome = self.call(name, input);
        outcome
            .unwrap()
            .unwrap_or_else(|| panic!("{name} has no output"))
    }

    pub fn text(&mut self, name: &str, input: &str) -> String {
        String::from_utf8(self.output(name, input.as_bytes())).unwrap()
    }

    /// What a call fails with that is to fail.
    pub fn failure(&mut self, name: &str) -> Failure {
        match self.call(name, b"") {
            Err(failure) => failure,
            Ok(output) => panic!("{name} succeeded with {output:?}"),
        }
    }

    pub fn code(&mut self, name: &str) -> Code {
        self.failure(name).code
    }

    /// The number that a function returns, with codes as errors.
    pub fn number(&mut self, name: &str) -> i32 {
        match self.call(name, b"") {
            Ok(_) => 0,
            Err(failure) if failure.code == Code::Exit => failure.exit_code.unwrap(),
            Err(failure) => panic!("{name} failed: {failure} ({:?})", failure.code),
        }
    }

    /// Waits until a call runs.
    pub fn until_active(&mut self, count: usize) {
        let pool = self.pool.clone();
        self.host
            .until("calls run", |_| pool.report().active == count);
    }

    /// Closes, and waits until that is over.
    pub fn close(&mut self) {
        let operation = next_id();
        self.pool.close(&self.host.queue, operation);
        assert_eq!(self.wait(operation).unwrap(), None);
    }
}

/// What a host function gives that gives a number.
pub fn gives(number: i64) -> Option<Return> {
    Some(Return::Values(vec![Val::I64(number)], Vec::new()))
}

/// Numbers that look random.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
