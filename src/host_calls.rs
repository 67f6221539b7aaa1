//! The host functions of JavaScript's that guests wait for.

use std::cell::RefCell;
use std::sync::Arc;

use extism_host::error::Failure;
use extism_host::faults;
use extism_host::hash::NumberMap;
use extism_host::host_call::{HostCall, Reply, Request, Return, stale};
use extism_host::threads::contain;
use napi::Env;
use napi::bindgen_prelude::*;

use super::environment::Environment;
use super::mailbox::Mailbox;
use super::raw::Bytes;
use super::settings::thrown;

#[derive(Default)]
pub struct HostCalls(RefCell<NumberMap<u32, Arc<HostCall>>>);

impl HostCalls {
    pub fn insert(&self, call: Arc<HostCall>) {
        self.0.borrow_mut().insert(call.id, call);
    }

    pub fn remove(&self, id: u32) -> Option<Arc<HostCall>> {
        self.0.borrow_mut().remove(&id)
    }

    /// Lets a guest go on. `false` when it does not wait any longer.
    pub fn finish(&self, mailbox: &mut Mailbox, id: u32, writes: usize) -> bool {
        let Some(call) = self.remove(id) else {
            return false;
        };
        let returned = contain(|| {
            faults::point("finish");
            let values = mailbox.results(&call.results);
            let writes = mailbox.writes(values.len(), writes);
            Ok(Return::Values(values, writes))
        });
        call.finish(returned.unwrap_or_else(Return::Failed))
    }

    pub fn fail(&self, id: u32, failure: Failure) -> bool {
        let call = self.remove(id);
        call.is_some_and(|call| call.finish(Return::Failed(failure)))
    }

    pub fn ask(&self, id: u32, request: Request) -> std::result::Result<Reply, Failure> {
        // Not borrowed while the guest's task is polled.
        let call = self.0.borrow().get(&id).cloned();
        call.ok_or_else(stale)?.ask(request)
    }
}

#[napi]
impl Environment {
    /// A new block of the waiting guest with these bytes: its offset.
    #[napi(catch_unwind)]
    pub fn store(&self, env: Env, id: u32, bytes: &[u8]) -> Result<f64> {
        let bytes = Self::bytes(&env, bytes)?;
        self.number(&env, id, Request::Store(bytes))
    }

    /// Overwrites the first bytes of a block of the waiting guest, if there is one.
    #[napi(catch_unwind)]
    pub fn write(&self, env: Env, id: u32, offset: f64, bytes: &[u8]) -> Result<f64> {
        let bytes = Self::bytes(&env, bytes)?;
        self.number(&env, id, Request::Write(offset as u64, bytes))
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

    /// The length of a block of the waiting guest, -1 where there is none.
    #[napi(catch_unwind)]
    pub fn length(&self, env: Env, id: u32, offset: f64) -> Result<f64> {
        self.number(&env, id, Request::Length(offset as u64))
    }

    /// A copy of a block of the waiting guest, or null where there is none.
    #[napi(catch_unwind)]
    pub fn read(&self, env: Env, id: u32, offset: f64) -> Result<Option<Bytes>> {
        match self.shared.host_calls.ask(id, Request::Read(offset as u64)) {
            Ok(Reply::Bytes(bytes)) => Ok(bytes.map(Bytes)),
            Ok(Reply::Number(_)) => Ok(None),
            Err(failure) => Err(thrown(&env, failure)),
        }
    }

    fn number(&self, env: &Env, id: u32, request: Request) -> Result<f64> {
        match self.shared.host_calls.ask(id, request) {
            Ok(Reply::Number(number)) => Ok(number as f64),
            Ok(Reply::Bytes(_)) => Ok(0.0),
            Err(failure) => Err(thrown(env, failure)),
        }
    }
}
