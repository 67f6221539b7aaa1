//! The only way results reach JavaScript: promises settled from other threads, with one
//! threadsafe function per environment and one wake-up per burst.
//!
//! The queue is non-empty exactly while a wake-up is outstanding, or while it is held: whoever
//! finds it empty rings, and the drain takes from it under the same lock. Node.js answers a
//! thousand rings without looking at anything else, so a drain that has had its time holds the
//! queue until the event loop has turned.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};

use super::host_call::HostCall;
use super::logger::{Message, Waiting};
use super::raw::{self, Bytes, Deferred};
use super::rejection::Rejection;
use super::ticket::Ticket;
use crate::call::Outcome;
use crate::error::{Code, Failure};
use crate::faults;
use crate::sync::lock;
use crate::threads::contain;

/// Something for the event loop to do.
pub enum Event {
    Settle(Pending, Outcome),
    Call(HostCall),
    /// Nobody waits for this host function any longer.
    Forget(u32),
    Message(Waiting),
}

/// What the JavaScript side is called with after a burst, if there is anything for it.
pub type News = FnArgs<(
    Option<Vec<Rejection>>,
    Option<Vec<HostCall>>,
    Option<Vec<u32>>,
    Option<Vec<Message>>,
    bool,
)>;

type Bell = ThreadsafeFunction<(), (), News, Status, false, true>;

/// A promise that JavaScript holds.
pub struct Pending {
    deferred: Deferred,
    plugin: u32,
    /// Resolve with an empty Buffer, not with null, where the guest set no output.
    always_bytes: bool,
}

type Queue = Arc<Mutex<Events>>;

#[derive(Default)]
struct Events {
    list: Vec<Event>,
    /// Nobody rings: the event loop has other things to do first.
    held: bool,
}

/// How long, and for how many events, the event loop may do nothing else.
const TURN: Duration = Duration::from_millis(5);
const MAX_EVENTS: usize = 1024;

/// The half that other threads have.
pub struct Sender {
    /// Also owned by the bell's callback, so that a burst survives whoever sent it.
    queue: Queue,
    bell: Bell,
}

/// The half that the event loop has.
pub struct Settler {
    sender: Arc<Sender>,
    loop_side: Rc<LoopSide>,
}

#[derive(Default)]
struct LoopSide {
    /// Promises not yet settled; the event loop stays alive while there are any.
    pending: Cell<u32>,
    rejected: RefCell<HashMap<u32, Pending>>,
    next_ticket: Cell<u32>,
    /// When the first drain began that may have been in this turn of the event loop.
    turn: Cell<Option<Instant>>,
    /// Whether the event loop was asked to say that it turns.
    asked: Cell<bool>,
    bell: Cell<Option<sys::napi_threadsafe_function>>,
}

impl Settler {
    /// `listener` is called with what a burst has for the JavaScript side. It must not throw.
    pub fn new(listener: Function<'_, News, ()>) -> Result<Self> {
        let queue = Queue::default();
        let loop_side = Rc::new(LoopSide::default());
        let (events, side) = (queue.clone(), loop_side.clone());
        let bell = listener
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .build_callback(move |ring| Ok(drain(&ring.env, &events, &side)))?;
        loop_side.bell.set(Some(bell.raw()));
        let sender = Arc::new(Sender { queue, bell });
        Ok(Self { sender, loop_side })
    }

    pub fn sender(&self) -> &Arc<Sender> {
        &self.sender
    }

    /// A promise for JavaScript, and the ticket that settles it.
    pub fn promise<'env>(
        &self,
        env: &'env Env,
        plugin: u32,
        always_bytes: bool,
    ) -> Result<(Unknown<'env>, Ticket)> {
        let (deferred, promise) = Deferred::new(env)?;
        self.loop_side.expect_one(env);
        let pending = Pending {
            deferred,
            plugin,
            always_bytes,
        };
        Ok((promise, Ticket::new(pending, self.sender.clone())))
    }

    /// The event loop has turned, as the listener was told to say.
    pub fn turned(&self) {
        self.loop_side.turn.set(None);
        self.loop_side.asked.set(false);
        let waiting = {
            let mut queue = lock(&self.sender.queue);
            std::mem::take(&mut queue.held) && !queue.list.is_empty()
        };
        if waiting {
            self.sender.ring();
        }
    }

    /// Rejects a call that the listener was told of.
    pub fn reject(&self, env: &Env, ticket: u32, error: Unknown<'_>) {
        let pending = self.loop_side.rejected.borrow_mut().remove(&ticket);
        if let Some(pending) = pending {
            pending.deferred.reject(env, error);
            self.loop_side.settled(env, 1);
        }
    }
}

impl Drop for Settler {
    fn drop(&mut self) {
        self.loop_side.bell.set(None);
    }
}

impl LoopSide {
    /// What is to be done now, and whether the event loop is to say when it turns.
    fn take(&self, queue: &Queue) -> (Vec<Event>, bool) {
        let started = self.turn.get();
        let mut queue = lock(queue);
        let over = started.is_some_and(|started| started.elapsed() >= TURN);
        // Whether the loop has turned meanwhile is not known before somebody has asked it.
        let rest = match over && self.asked.get() {
            true => std::mem::take(&mut queue.list),
            false => {
                let end = queue.list.len().min(MAX_EVENTS);
                queue.list.split_off(end)
            }
        };
        queue.held = !rest.is_empty();
        let events = std::mem::replace(&mut queue.list, rest);
        let ask = (over || queue.held) && !self.asked.get();
        self.asked.set(self.asked.get() || ask);
        drop(queue);
        if started.is_none() || ask {
            self.turn.set(Some(Instant::now()));
        }
        (events, ask)
    }

    fn expect_one(&self, env: &Env) {
        if self.pending.replace(self.pending.get() + 1) == 0
            && let Some(bell) = self.bell.get()
        {
            raw::keep_alive(env, bell, true);
        }
    }

    fn settled(&self, env: &Env, count: u32) {
        let left = self.pending.get() - count;
        self.pending.set(left);
        if count != 0
            && left == 0
            && let Some(bell) = self.bell.get()
        {
            raw::keep_alive(env, bell, false);
        }
    }
}

/// Settles every promise that can be settled here; the rest is news.
fn drain(env: &Env, queue: &Queue, side: &LoopSide) -> News {
    let (events, ask) = side.take(queue);
    let (mut rejections, mut calls) = (Vec::new(), Vec::new());
    let (mut forgotten, mut messages) = (Vec::new(), Vec::new());
    let mut settled = 0;
    for event in events {
        match event {
            Event::Call(call) => calls.push(call),
            Event::Forget(call) => forgotten.push(call),
            Event::Message(message) => messages.push(message.take()),
            Event::Settle(pending, Ok(output)) => match contained(|| {
                faults::point("output");
                output_value(env, &pending, output)
            }) {
                Ok(value) => {
                    pending.deferred.resolve(env, value);
                    settled += 1;
                }
                Err(failure) => rejections.push(side.rejection(pending, failure)),
            },
            Event::Settle(pending, Err(failure)) => {
                rejections.push(side.rejection(pending, failure))
            }
        }
    }
    side.settled(env, settled);
    // Most bursts have no news, and an empty array is made for nothing.
    FnArgs::from((
        some(rejections),
        some(calls),
        some(forgotten),
        some(messages),
        ask,
    ))
}

/// A panic here would end the process, and strand the rest of the burst before that.
fn contained<T>(f: impl FnOnce() -> Result<T>) -> std::result::Result<T, Failure> {
    contain(|| {
        f().map_err(|error| {
            let message = format!("no room for the output: {error}");
            Failure::new(Code::OutOfMemory, message)
        })
    })
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// To copy more holds the event loop up.
const COPIED_BYTES: usize = 8 << 20;

/// V8's own copy: freed memory is reused hot, where external memory would wait for a
/// collection, and costs a finalizer.
fn output_value<'env>(
    env: &'env Env,
    pending: &Pending,
    output: Option<Vec<u8>>,
) -> Result<Unknown<'env>> {
    match output {
        None if !pending.always_bytes => raw::value(env, Null),
        Some(bytes) if bytes.len() > COPIED_BYTES => {
            raw::value(env, BufferSlice::from_data(env, bytes)?)
        }
        output => raw::value(env, Bytes(output.unwrap_or_default())),
    }
}

impl LoopSide {
    fn rejection(&self, pending: Pending, failure: Failure) -> Rejection {
        let ticket = self
            .next_ticket
            .replace(self.next_ticket.get().wrapping_add(1));
        let plugin = pending.plugin;
        self.rejected.borrow_mut().insert(ticket, pending);
        Rejection::new(ticket, plugin, failure)
    }
}

impl Sender {
    pub fn send(&self, event: Event) {
        let ring = {
            let mut queue = lock(&self.queue);
            queue.list.push(event);
            queue.list.len() == 1 && !queue.held
        };
        if ring {
            self.ring();
        }
    }

    fn ring(&self) {
        // Fails only when the environment is gone, and every promise with it.
        self.bell.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }
}
