//! The only way results reach JavaScript: promises settled from other threads, with one
//! threadsafe function per environment and one wake-up per burst.
//!
//! The queue is non-empty exactly while a wake-up is outstanding: whoever finds it empty
//! rings, and the drain takes all of it under the same lock.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};

use super::host_call::HostCall;
use super::logger::{Message, Waiting};
use super::raw::{self, Bytes, Deferred};
use super::rejection::Rejection;
use crate::call::{Outcome, Settle, lost};
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
)>;

type Bell = ThreadsafeFunction<(), (), News, Status, false, true>;

/// A promise that JavaScript holds.
pub struct Pending {
    deferred: Deferred,
    plugin: u32,
    /// Resolve with an empty Buffer, not with null, where the guest set no output.
    always_bytes: bool,
}

type Queue = Arc<Mutex<Vec<Event>>>;

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
        let ticket = Ticket {
            pending: Some(pending),
            sender: self.sender.clone(),
        };
        Ok((promise, ticket))
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
    let events = std::mem::take(&mut *lock(queue));
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
            queue.push(event);
            queue.len() == 1
        };
        if ring {
            // Fails only when the environment is gone, and every promise with it.
            self.bell.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

/// Settles one promise, once. Dropped unsettled it rejects, so that no panic strands a caller.
pub struct Ticket {
    pending: Option<Pending>,
    sender: Arc<Sender>,
}

impl Ticket {
    fn send(&mut self, outcome: Outcome) {
        if let Some(pending) = self.pending.take() {
            self.sender.send(Event::Settle(pending, outcome));
        }
    }
}

impl Settle for Ticket {
    fn settle(mut self: Box<Self>, outcome: Outcome) {
        self.send(outcome);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.send(Err(lost()));
    }
}
