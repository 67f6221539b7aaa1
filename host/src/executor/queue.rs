//! What a thread of the embedder has to do: tasks to poll, host functions to call, calls to
//! settle. Other threads put it here and wake the thread, once for a burst.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::place::Runnable;
use super::workers;
use crate::call::Outcome;
use crate::host_call::HostCall;
use crate::log::Message;
use crate::pool::Pool;
use crate::sync::lock;

pub enum Event {
    Run(Runnable),
    /// A guest waits for this host function.
    HostCall(Arc<HostCall>),
    /// No guest waits for the host function of this number any longer.
    Forget(u32),
    Message(Message),
    /// The operation of this number has ended.
    Settled(u64, Outcome),
    /// Calls of this plugin wait for the thread.
    Ready(Arc<Pool>),
}

/// How the thread is told that its queue is not empty.
pub type Wake = Box<dyn Fn() + Send + Sync>;

pub struct Queue {
    thread: usize,
    events: Mutex<Events>,
    wake: Wake,
}

#[derive(Default)]
struct Events {
    list: VecDeque<Event>,
    /// The thread was woken and has not found the queue empty since.
    woken: bool,
    /// The thread is gone.
    closed: bool,
}

thread_local! {
    static MARK: u8 = const { 0 };
}

/// Tells the threads that there are apart.
fn current() -> usize {
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}

impl Queue {
    /// The queue of this thread.
    pub fn new(wake: Wake) -> Arc<Self> {
        Arc::new(Self {
            thread: current(),
            events: Mutex::default(),
            wake,
        })
    }

    /// Whether this is its thread.
    pub fn is_current(&self) -> bool {
        self.thread == current()
    }

    pub fn push(&self, event: Event) {
        if self.put(event) {
            self.wake();
        }
    }

    /// The same without waking the thread. Whether the caller has to, soon.
    #[must_use]
    pub fn put(&self, event: Event) -> bool {
        let mut events = lock(&self.events);
        if events.closed {
            drop(events);
            if let Event::Run(runnable) = event {
                workers::push(runnable);
            }
            return false;
        }
        events.list.push_back(event);
        !self.is_current() && !std::mem::replace(&mut events.woken, true)
    }

    pub fn wake(&self) {
        (self.wake)();
    }

    /// For its thread, which has popped this and cannot do it now.
    pub fn push_front(&self, event: Event) {
        lock(&self.events).list.push_front(event);
    }

    /// For its thread.
    pub fn pop(&self) -> Option<Event> {
        let mut events = lock(&self.events);
        let event = events.list.pop_front();
        if event.is_none() {
            events.woken = false;
        }
        event
    }

    /// Whether its thread is gone.
    pub fn is_closed(&self) -> bool {
        lock(&self.events).closed
    }

    /// The thread is about to end. Tasks go to the workers, where the rest of them ends.
    pub fn close(&self) {
        let mut events = lock(&self.events);
        events.closed = true;
        let left = std::mem::take(&mut events.list);
        drop(events);
        for event in left {
            if let Event::Run(runnable) = event {
                workers::push(runnable);
            }
        }
    }
}
