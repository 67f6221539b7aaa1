//! What one JavaScript thread has of its own: a queue of what is to be done there, a doorbell, and
//! a mailbox.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex, Weak};

use extism_host::engine;
use extism_host::environment::{Step, Turn};
use extism_host::error::{Code, Failure};
use extism_host::executor::Queue;
use extism_host::faults;
use extism_host::hash::NumberMap;
use extism_host::log::{Kind, Message};
use extism_host::pool::Pool;
use extism_host::store;
use extism_host::sync::lock;
use extism_host::threads::contain;
use napi::Env;
use napi::bindgen_prelude::*;

use super::doorbell::Doorbell;
use super::host_calls::HostCalls;
use super::mailbox::Mailbox;
use super::rejection::Rejection;
use super::settings::thrown;
use super::synchronous::Synchronous;

/// What JavaScript is to do next; the mailbox has the rest.
#[napi]
pub enum Event {
    /// Nothing is left.
    Idle,
    /// The turn is over, and something is left.
    TurnOver,
    /// A host function is to be called.
    HostCall,
    /// No guest waits for a host function any longer.
    Forget,
    /// A plugin has logged or printed something.
    Message,
    /// An operation has an output.
    Output,
    /// The same, which `takeBytes` gives.
    LargeOutput,
    /// An operation has ended without an output.
    NoOutput,
    /// An operation has failed; `takeFailure` says how.
    Failure,
    /// The call that this thread waits for waits for something itself.
    Waiting,
}

/// What one JavaScript thread has.
pub(super) struct Shared {
    pub queue: Arc<Queue>,
    pub plugins: Arc<Plugins>,
    /// The plugins that are open, by number.
    pub pools: RefCell<NumberMap<u32, Arc<Pool>>>,
    pub mailbox: RefCell<Mailbox>,
    pub synchronous: Synchronous,
    pub host_calls: HostCalls,
    turn: RefCell<Turn>,
    large: Cell<Option<Vec<u8>>>,
    /// The input of the next call, if it is too large for the mailbox.
    pub input: Cell<Option<Vec<u8>>>,
    pub failure: Cell<Option<Failure>>,
    /// What guests have printed, until it is written: they wait for a slow reader.
    printing: RefCell<Vec<Message>>,
}

/// One for each JavaScript thread.
#[napi]
pub struct Environment {
    pub(super) shared: Rc<Shared>,
    doorbell: Rc<Doorbell>,
}

/// The plugins of an environment; none of their calls may outlive it. `None` once it is gone.
pub(super) struct Plugins(Mutex<Option<Vec<Weak<Pool>>>>);

impl Plugins {
    pub fn adopt(&self, pool: &Arc<Pool>) {
        match &mut *lock(&self.0) {
            Some(plugins) => {
                plugins.retain(|plugin| plugin.strong_count() > 0);
                plugins.push(pool.downgrade());
            }
            None => pool.abort(),
        }
    }

    fn abort(&self) {
        faults::point("cleanup");
        let plugins = lock(&self.0).take().unwrap_or_default();
        for pool in plugins.iter().filter_map(Weak::upgrade) {
            pool.abort();
        }
    }
}

#[napi]
impl Environment {
    /// `mailbox` is what both sides write to. `ring` is called when other threads have put
    /// something into the queue; it must not throw.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, mailbox: Uint8Array, ring: Function<'_, (), ()>) -> Result<Self> {
        store::prepare();
        engine::prepare_thread().map_err(|failure| thrown(&env, failure))?;
        let (doorbell, wake) = Doorbell::new(ring)?;
        let doorbell = Rc::new(doorbell);
        let queue = Queue::new(wake);
        let plugins = Arc::new(Plugins(Mutex::new(Some(Vec::new()))));
        let end = (queue.clone(), plugins.clone(), doorbell.clone());
        env.add_env_cleanup_hook(end, |(queue, plugins, doorbell)| {
            doorbell.disconnect();
            // Nobody is left to be told.
            let _ = contain(|| {
                queue.close();
                plugins.abort();
                Ok(())
            });
        })?;
        let shared = Shared {
            queue,
            plugins,
            pools: RefCell::default(),
            mailbox: RefCell::new(Mailbox::new(mailbox)),
            synchronous: Synchronous::default(),
            host_calls: HostCalls::default(),
            turn: RefCell::new(Turn::bounded()),
            large: Cell::default(),
            input: Cell::default(),
            failure: Cell::default(),
            printing: RefCell::default(),
        };
        Ok(Self {
            shared: Rc::new(shared),
            doorbell,
        })
    }

    /// The bytes of a large output.
    #[napi(catch_unwind)]
    pub fn take_bytes<'env>(&self, env: &'env Env) -> Result<BufferSlice<'env>> {
        const COPIED_BYTES: usize = 8 << 20;
        let bytes = self.shared.large.take().unwrap_or_default();
        // To copy more holds the event loop up.
        match bytes.len() > COPIED_BYTES {
            true => BufferSlice::from_data(env, bytes),
            false => BufferSlice::copy_from(env, bytes),
        }
    }

    /// Why an operation failed.
    #[napi(catch_unwind)]
    pub fn take_failure(&self) -> Rejection {
        let failure = self.shared.failure.take();
        failure.unwrap_or_else(extism_host::call::lost).into()
    }

    /// What a plugin printed first of all that was not written yet is written.
    #[napi(catch_unwind)]
    pub fn printed(&self) {
        let mut printing = self.shared.printing.borrow_mut();
        if !printing.is_empty() {
            drop(printing.remove(0));
        }
    }

    /// The input of the next call, instead of what is in the mailbox.
    #[napi(catch_unwind)]
    pub fn put_input(&self, env: Env, input: Either<&[u8], String>) -> Result<()> {
        let input = match input {
            Either::A(bytes) => {
                extism_host::bytes::copy(bytes).map_err(|failure| thrown(&env, failure))?
            }
            Either::B(text) => text.into_bytes(),
        };
        self.shared.input.set(Some(input));
        Ok(())
    }

    /// Whether the event loop goes on while nothing but operations of ours is pending.
    #[napi(catch_unwind)]
    pub fn keep_alive(&self, env: Env, alive: bool) {
        self.doorbell.keep_alive(&env, alive);
    }

    /// Ends a host call with an error that the JavaScript side has numbered. `false` when its
    /// guest does not wait any longer.
    #[napi(catch_unwind)]
    pub fn fail(&self, id: u32, cause: u32, message: String) -> bool {
        let failure = Failure::new(Code::HostFunction, message).caused_by(cause);
        self.shared.host_calls.fail(id, failure)
    }
}

impl Shared {
    /// Begins a turn of the event loop.
    pub fn turn(&self) -> Event {
        // Whatever waited for calls on this thread is not there any longer.
        self.synchronous.abandon();
        self.turn.replace(Turn::bounded());
        self.step()
    }

    /// Goes on with a turn, for calls that have come since.
    pub fn resume(&self) -> Event {
        match self.turn.borrow().is_over() {
            true => Event::TurnOver,
            false => self.step(),
        }
    }

    /// Goes on until there is something for JavaScript.
    pub fn step(&self) -> Event {
        let step = self.turn.borrow().step(&self.queue);
        self.event(step)
    }

    /// The same for the innermost call that this thread waits for, which ends with its output.
    pub fn step_sync(&self) -> Event {
        let Some(step) = self.synchronous.step() else {
            return Event::Waiting;
        };
        if matches!(step, Step::Settled(..)) {
            self.synchronous.end();
        }
        self.event(step)
    }

    pub fn pool(&self, plugin: u32) -> Result<Arc<Pool>> {
        let pool = self.pools.borrow().get(&plugin).cloned();
        pool.ok_or_else(|| Error::from_reason("the plugin is not open"))
    }

    fn event(&self, step: Step) -> Event {
        let mut mailbox = self.mailbox.borrow_mut();
        match step {
            Step::Idle => Event::Idle,
            Step::TurnOver => Event::TurnOver,
            Step::HostCall(call) => {
                mailbox.put_host_call(&call);
                self.host_calls.insert(call);
                Event::HostCall
            }
            Step::Forget(id) => {
                self.host_calls.remove(id);
                mailbox.put_id(id.into());
                Event::Forget
            }
            Step::Message(message) => {
                mailbox.put_message(&message);
                if matches!(message.kind, Kind::Stdout | Kind::Stderr) {
                    self.printing.borrow_mut().push(message);
                }
                Event::Message
            }
            Step::Settled(operation, Ok(None)) => {
                mailbox.put_id(operation as f64);
                Event::NoOutput
            }
            Step::Settled(operation, Ok(Some(output))) => {
                let written = contain(|| {
                    faults::point("output");
                    Ok(mailbox.put_output(operation, &output))
                });
                match written {
                    Ok(true) => Event::Output,
                    Ok(false) => {
                        self.large.set(Some(output));
                        Event::LargeOutput
                    }
                    Err(failure) => self.failed(&mut mailbox, operation, failure),
                }
            }
            Step::Settled(operation, Err(failure)) => self.failed(&mut mailbox, operation, failure),
        }
    }

    fn failed(&self, mailbox: &mut Mailbox, operation: u64, failure: Failure) -> Event {
        mailbox.put_id(operation as f64);
        self.failure.set(Some(failure));
        Event::Failure
    }
}

impl Environment {
    /// Bytes of JavaScript's as large as they come.
    pub(super) fn bytes(env: &Env, bytes: &[u8]) -> Result<Vec<u8>> {
        extism_host::bytes::copy(bytes).map_err(|failure| thrown(env, failure))
    }
}
