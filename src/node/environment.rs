//! What one environment (the main thread, or a worker) has of its own.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use napi::Env;
use napi::bindgen_prelude::*;

use super::host_call::{HostCall, Waiting};
use super::raw::{self, Bytes};
use super::settler::{News, Settler};
use super::synchronous::{Answer, Answering};
use super::thrown;
use super::value::Value;
use crate::bytes;
use crate::error::{Code, Failure};
use crate::exchange::{self, Reply, Request, stale};
use crate::faults;
use crate::plugin::{Plugin, WeakPlugin};
use crate::sync::lock;
use crate::threads::contain;

/// The door between plugins and this thread's event loop. There is one per thread.
#[napi]
pub struct Environment {
    pub(super) settler: Rc<Settler>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) plugins: Arc<Plugins>,
    pub(super) answer: Answering,
}

/// The plugins of this environment; none of their calls may outlive it. `None` once it is gone.
pub(super) struct Plugins(Mutex<Option<Vec<WeakPlugin>>>);

impl Plugins {
    pub fn adopt(&self, plugin: &Plugin) {
        match &mut *lock(&self.0) {
            Some(plugins) => {
                plugins.retain(WeakPlugin::is_alive);
                plugins.push(plugin.downgrade());
            }
            None => plugin.abort(),
        }
    }

    fn abort(&self) {
        faults::point("cleanup");
        let plugins = lock(&self.0).take().unwrap_or_default();
        for plugin in plugins.iter().filter_map(WeakPlugin::upgrade) {
            plugin.abort();
        }
    }
}

/// A failure for guests whose host functions are gone.
pub fn gone() -> Failure {
    Failure::new(Code::Closed, "the JavaScript side is gone")
}

#[napi]
impl Environment {
    /// `listener` is told, once per burst, of calls that failed, of host functions that guests
    /// wait for, of those that nobody waits for any longer, of what plugins log and print, and
    /// whether it is to say by `turned` when the event loop has turned.
    /// `answer` runs a host function of a call on this thread. Neither may throw.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        listener: Function<'_, News, ()>,
        answer: Function<'_, HostCall, Answer>,
    ) -> Result<Self> {
        let plugins = Arc::new(Plugins(Mutex::new(Some(Vec::new()))));
        env.add_env_cleanup_hook(plugins.clone(), |plugins| {
            // Nobody is left to be told.
            let _ = contain(|| {
                plugins.abort();
                Ok(())
            });
        })?;
        Ok(Self {
            settler: Rc::new(Settler::new(listener)?),
            waiting: Arc::default(),
            answer: Rc::new(answer.create_ref()?),
            plugins,
        })
    }

    /// The event loop has turned since `listener` was asked.
    #[napi(catch_unwind)]
    pub fn turned(&self) {
        self.settler.turned();
    }

    /// Rejects the call of a rejection with this error.
    #[napi(catch_unwind)]
    pub fn reject(&self, env: Env, ticket: u32, error: Unknown<'_>) {
        self.settler.reject(&env, ticket, error);
    }

    /// Ends a host function with these results, after these blocks were overwritten. `false`
    /// when its guest does not wait any longer.
    #[napi(catch_unwind)]
    pub fn finish(
        &self,
        env: Env,
        id: u32,
        values: Vec<Value>,
        offsets: Vec<f64>,
        blocks: Vec<&[u8]>,
    ) -> Result<bool> {
        faults::point("finish");
        let blocks = blocks.into_iter().map(bytes::copy);
        let writes = offsets.into_iter().zip(blocks);
        let writes = writes.map(|(offset, bytes)| Ok((offset as u64, bytes?)));
        let writes = writes.collect::<std::result::Result<_, _>>();
        let writes = writes.map_err(|failure| thrown(&env, failure))?;
        Ok(self.waiting.finish(id, values, writes))
    }

    /// Ends a host function with an error that the JavaScript side has numbered. `false` when
    /// its guest does not wait any longer.
    #[napi(catch_unwind)]
    pub fn fail(&self, id: u32, cause: u32, message: String) -> bool {
        let failure = Failure::new(Code::HostFunction, message).caused_by(cause);
        self.waiting.fail(id, failure)
    }

    /// A new block of the waiting guest: its offset.
    #[napi(catch_unwind)]
    pub fn alloc(&self, env: Env, id: u32, length: f64) -> Result<f64> {
        self.number(&env, id, Request::Alloc(length as u64))
    }

    /// A new block of the waiting guest with these bytes: its offset.
    #[napi(catch_unwind)]
    pub fn store(&self, env: Env, id: u32, bytes: &[u8]) -> Result<f64> {
        let bytes = bytes::copy(bytes).map_err(|failure| thrown(&env, failure))?;
        self.number(&env, id, Request::Store(bytes))
    }

    /// Gives a block of the waiting guest back.
    #[napi(catch_unwind)]
    pub fn free(&self, env: Env, id: u32, offset: f64) -> Result<f64> {
        self.number(&env, id, Request::Free(offset as u64))
    }

    /// Sets the error of the waiting guest, which its call fails with.
    #[napi(catch_unwind)]
    pub fn set_error(&self, env: Env, id: u32, text: String) -> Result<f64> {
        self.number(&env, id, Request::Fail(text))
    }

    /// The length of a block of the waiting guest, 0 where there is none.
    #[napi(catch_unwind)]
    pub fn length(&self, env: Env, id: u32, offset: f64) -> Result<f64> {
        self.number(&env, id, Request::Length(offset as u64))
    }

    /// A copy of a block of the waiting guest, or null where there is none.
    #[napi(catch_unwind)]
    pub fn read(&self, env: Env, id: u32, offset: f64) -> Result<Option<Bytes>> {
        match self.ask(&env, id, Request::Read(offset as u64))? {
            Reply::Bytes(bytes) => Ok(bytes.map(Bytes)),
            Reply::Number(_) => Ok(None),
        }
    }

    fn number(&self, env: &Env, id: u32, request: Request) -> Result<f64> {
        match self.ask(env, id, request)? {
            Reply::Number(number) => Ok(number as f64),
            Reply::Bytes(_) => Ok(0.0),
        }
    }

    fn ask(&self, env: &Env, id: u32, request: Request) -> Result<Reply> {
        let mut request = Some(request);
        let here = raw::with_guest(id, |guest| {
            request
                .take()
                .map(|request| exchange::answer(guest, request))
        });
        let reply = here.flatten().unwrap_or_else(|| {
            let exchange = self.waiting.exchange(id).ok_or_else(stale)?;
            exchange.ask(request.take().ok_or_else(stale)?)
        });
        reply.map_err(|failure| thrown(env, failure))
    }
}
