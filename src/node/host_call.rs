//! Host functions written in JavaScript.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use extism::Val;

use super::raw::Bytes;
use super::settler::{Event, Sender};
use super::synchronous::{self, Answer};
use super::value::{self, Value};
use crate::bytes;
use crate::error::{Code, Failure};
use crate::exchange::{self, Exchange, Return};
use crate::host_function::{Body, Guest};
use crate::sync::lock;

/// Blocks up to this size are read along with the call, which spares JavaScript from asking.
const PREFETCH_BYTES: usize = 64 << 10;

/// A guest waits for this host function.
#[napi(object, object_from_js = false)]
pub struct HostCall {
    /// What to answer to.
    pub id: u32,
    /// The plugin's number, and which of its functions.
    pub plugin: u32,
    pub function: u32,
    /// Which instance of the plugin waits.
    pub instance: u32,
    /// The number of the plugin's call.
    pub call: f64,
    pub inputs: Vec<Value>,
    /// How many results it is to have.
    pub results: u32,
    /// For each input, the block it is the offset of, if it is one of a moderate size.
    #[napi(ts_type = "(Buffer | null)[]")]
    pub blocks: Vec<Option<Bytes>>,
}

/// The host calls of one environment that wait for an answer.
#[derive(Default)]
pub struct Waiting {
    calls: Mutex<HashMap<u32, Call>>,
    next: AtomicU32,
}

struct Call {
    exchange: Arc<Exchange>,
    /// Of the types that the results are to have.
    results: Vec<Val>,
}

impl Waiting {
    pub fn exchange(&self, id: u32) -> Option<Arc<Exchange>> {
        lock(&self.calls).get(&id).map(|call| call.exchange.clone())
    }

    /// Lets the guest go on. `false` when it does not wait any longer.
    pub fn finish(&self, id: u32, values: Vec<Value>, writes: Vec<(u64, Vec<u8>)>) -> bool {
        let Some(Call { exchange, results }) = lock(&self.calls).remove(&id) else {
            return false;
        };
        let values = to_vals(&values, &results);
        exchange.finish(Return::Values(values, writes))
    }

    pub fn fail(&self, id: u32, failure: Failure) -> bool {
        let call = lock(&self.calls).remove(&id);
        call.is_some_and(|call| call.exchange.finish(Return::Failed(failure)))
    }
}

pub struct JavaScript {
    pub sender: Arc<Sender>,
    /// Gone with the environment.
    pub waiting: Weak<Waiting>,
    pub plugin: u32,
    pub function: u32,
}

impl Body for JavaScript {
    fn needs_javascript(&self) -> bool {
        true
    }

    fn call(
        &self,
        guest: &mut Guest<'_>,
        inputs: &[Val],
        outputs: &mut [Val],
    ) -> Result<(), Failure> {
        let Some(waiting) = self.waiting.upgrade() else {
            return Err(super::environment::gone());
        };
        let id = waiting.next.fetch_add(1, Ordering::Relaxed);
        let call = self.call(id, guest, inputs, outputs.len());
        if synchronous::is_here() {
            let answer = synchronous::answer(guest, call)?;
            let returned = returned(answer, outputs);
            return exchange::apply(guest, returned, outputs);
        }
        let exchange = Arc::new(Exchange::default());
        guest.slot.attend(Some(&exchange))?;
        let waits = Call {
            exchange: exchange.clone(),
            results: outputs.to_vec(),
        };
        lock(&waiting.calls).insert(id, waits);
        self.sender.send(Event::Call(call));
        let result = exchange.attend(guest, outputs);
        if lock(&waiting.calls).remove(&id).is_some() {
            self.sender.send(Event::Forget(id));
        }
        result.and(guest.slot.attend(None))
    }
}

impl JavaScript {
    fn call(&self, id: u32, guest: &mut Guest<'_>, inputs: &[Val], results: usize) -> HostCall {
        let mut room = PREFETCH_BYTES;
        let blocks = inputs.iter().map(|input| {
            let bytes = guest.read(input.i64()? as u64)?;
            room = room.checked_sub(bytes.len())?;
            Some(Bytes(bytes.to_vec()))
        });
        HostCall {
            id,
            plugin: self.plugin,
            function: self.function,
            blocks: blocks.collect(),
            instance: guest.slot.id(),
            call: guest.slot.running().unwrap_or_default() as f64,
            inputs: inputs.iter().map(value::from_val).collect(),
            results: results as u32,
        }
    }
}

fn to_vals(values: &[Value], results: &[Val]) -> Vec<Val> {
    let values = values.iter().zip(results);
    values
        .map(|(value, like)| value::to_val(value, like))
        .collect()
}

fn returned(answer: Answer, results: &[Val]) -> Return {
    if let Some(cause) = answer.cause {
        let message = answer.message.unwrap_or_default();
        return Return::Failed(Failure::new(Code::HostFunction, message).caused_by(cause));
    }
    let blocks = answer.blocks.iter().map(|block| bytes::copy(block));
    let writes = answer.offsets.into_iter().zip(blocks);
    let writes = writes.map(|(offset, bytes)| Ok((offset as u64, bytes?)));
    match writes.collect() {
        Ok(writes) => Return::Values(to_vals(&answer.values, results), writes),
        Err(failure) => Return::Failed(failure),
    }
}
