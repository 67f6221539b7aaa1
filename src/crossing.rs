//! What crosses the border for every call. These are plain functions: a method of a class costs
//! Node.js several look-ups.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use extism_host::call::Call;
use extism_host::environment::Turn;
use extism_host::executor::{Event as Queued, Queue};
use extism_host::faults;
use extism_host::host_call::{Reply, Request as Asked};
use extism_host::threads::contain;
use napi::Env;
use napi::bindgen_prelude::*;

use super::environment::{Environment, Event, Shared};
use super::mailbox::DATA;
use super::settings::{milliseconds, thrown};

/// A call as JavaScript describes it.
struct Request {
    plugin: u32,
    operation: f64,
    function: u32,
    /// Bytes of the mailbox.
    length: u32,
    /// NaN for the plugin's.
    timeout_ms: f64,
}

impl Request {
    fn of(context: &FunctionCallContext<'_>) -> Result<Self> {
        Ok(Self {
            plugin: context.get(0)?,
            operation: context.get(1)?,
            function: context.get(2)?,
            length: context.get(3)?,
            timeout_ms: context.get(4)?,
        })
    }

    fn call(&self, shared: &Shared, queue: &Arc<Queue>) -> Call {
        let timeout = (!self.timeout_ms.is_nan()).then(|| milliseconds(self.timeout_ms));
        Call {
            id: self.operation as u64,
            function: Some(self.function as usize),
            input: shared.take_input(self.length as usize),
            timeout,
            nested: false,
            queue: queue.clone(),
            queued: Instant::now(),
        }
    }
}

#[napi]
impl Environment {
    /// The functions that every call needs, in this order: `turn()`, `resume()`, `step()`,
    /// `stepSync()`, each with an `Event` as result; `call(plugin, operation, function, length, timeoutMs)`, which
    /// puts a call in the queue; `callSync`, with the same parameters, which begins a call that
    /// this thread waits for, with its first `Event`; `finish(id, writes)`, which lets the guest of
    /// a host call go on, with results and blocks in the mailbox; `finishStep` and `finishStepSync`,
    /// which do so and step; `alloc(id, length)` and
    /// `store(id, length)`, which give the offset of a new block of the waiting guest, of zeros or
    /// of bytes in the mailbox, or -1 where `takeFailure` says why there is none.
    #[napi(ts_return_type = "Function[]", catch_unwind)]
    pub fn crossings<'env>(&self, env: &'env Env) -> Result<Vec<Function<'env, (), f64>>> {
        let shared = || self.shared.clone();
        let function = |name: &str, body: fn(&Shared, &FunctionCallContext<'_>) -> Result<f64>| {
            let shared: Rc<Shared> = shared();
            env.create_function_from_closure(name, move |context| {
                let env = *context.env;
                let result = contain(|| Ok(body(&shared, &context)));
                result.map_err(|failure| thrown(&env, failure))?
            })
        };
        Ok(vec![
            function("turn", |shared, _| Ok(shared.turn().into()))?,
            function("resume", |shared, _| Ok(shared.resume().into()))?,
            function("step", |shared, _| Ok(shared.step().into()))?,
            function("stepSync", |shared, _| Ok(shared.step_sync().into()))?,
            function("call", call)?,
            function("callSync", call_sync)?,
            function("finish", finish)?,
            function("finishStep", |shared, context| {
                finish(shared, context)?;
                Ok(shared.step().into())
            })?,
            function("finishStepSync", |shared, context| {
                finish(shared, context)?;
                Ok(shared.step_sync().into())
            })?,
            function("alloc", alloc)?,
            function("store", store)?,
        ])
    }
}

fn call(shared: &Shared, context: &FunctionCallContext<'_>) -> Result<f64> {
    faults::point("submit");
    let request = Request::of(context)?;
    let pool = shared.pool(request.plugin)?;
    let mut call = request.call(shared, &shared.queue);
    call.timeout = call.timeout.or(pool.options().timeout);
    pool.submit(call);
    Ok(0.0)
}

fn call_sync(shared: &Shared, context: &FunctionCallContext<'_>) -> Result<f64> {
    let request = Request::of(context)?;
    let pool = shared.pool(request.plugin)?;
    let turn = Turn::unbounded().map_err(|failure| thrown(context.env, failure))?;
    let queue = shared.synchronous.begin(turn);
    let mut call = request.call(shared, &queue);
    call.timeout = call.timeout.or(pool.options().timeout);
    match contain(|| pool.start_sync(call)) {
        Ok(runnable) => {
            queue.push(Queued::Run(runnable));
            Ok(shared.step_sync().into())
        }
        Err(failure) => {
            shared.synchronous.end();
            pool.refused(&failure);
            Err(thrown(context.env, failure))
        }
    }
}

fn finish(shared: &Shared, context: &FunctionCallContext<'_>) -> Result<f64> {
    let (id, writes) = (context.get(0)?, context.get::<u32>(1)?);
    let mut mailbox = shared.mailbox.borrow_mut();
    let finished = shared.host_calls.finish(&mut mailbox, id, writes as usize);
    Ok(f64::from(u8::from(finished)))
}

fn alloc(shared: &Shared, context: &FunctionCallContext<'_>) -> Result<f64> {
    let length = context.get::<f64>(1)? as u64;
    Ok(shared.block(context.get(0)?, Asked::Alloc(length)))
}

fn store(shared: &Shared, context: &FunctionCallContext<'_>) -> Result<f64> {
    let length = context.get::<u32>(1)? as usize;
    let bytes = shared.mailbox.borrow_mut().take(DATA, length);
    Ok(shared.block(context.get(0)?, Asked::Store(bytes)))
}

impl From<Event> for f64 {
    fn from(event: Event) -> Self {
        f64::from(event as u32)
    }
}

impl Shared {
    /// The offset of a block that a waiting guest makes, or -1.
    fn block(&self, host_call: u32, asked: Asked) -> f64 {
        match self.host_calls.ask(host_call, asked) {
            Ok(Reply::Number(offset)) => offset as f64,
            Ok(Reply::Bytes(_)) => 0.0,
            Err(failure) => {
                self.failure.set(Some(failure));
                -1.0
            }
        }
    }

    /// The input of a call: what JavaScript has put in the mailbox, or handed over before.
    fn take_input(&self, length: usize) -> Vec<u8> {
        let large = self.input.take();
        large.unwrap_or_else(|| self.mailbox.borrow_mut().take(DATA, length))
    }
}
