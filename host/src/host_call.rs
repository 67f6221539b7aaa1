//! A guest waits for a host function of the embedder's, which runs on the thread that called.
//!
//! The guest's task is at home then: what the host function asks of the guest's memory, the task
//! answers where it waits, polled by the thread that asks.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use wasmtime::{Caller, Val};

use crate::bytes;
use crate::call::CallState;
use crate::error::{Code, Failure};
use crate::executor::{Event, capture};
use crate::faults;
use crate::host_function::Embedded;
use crate::instance::InstanceState;
use crate::kernel;
use crate::sync::lock;
use crate::threads::contain;

/// What the host function asks of the waiting guest.
pub enum Request {
    Alloc(u64),
    Store(Vec<u8>),
    Free(u64),
    Length(u64),
    Read(u64),
    /// Overwrite the first bytes of a block, if there is one.
    Write(u64, Vec<u8>),
    /// Set the guest's error.
    Fail(String),
}

pub enum Reply {
    Number(u64),
    Bytes(Option<Vec<u8>>),
}

/// How the host function ended.
pub enum Return {
    /// Its results, after these blocks have been overwritten.
    Values(Vec<Val>, Vec<(u64, Vec<u8>)>),
    Failed(Failure),
}

/// Blocks up to this size are read along with the call, which spares the host function from
/// asking.
const PREFETCH_BYTES: usize = 16 << 10;

pub struct HostCall {
    pub id: u32,
    pub function: Embedded,
    /// The call of the guest that waits, and the instance it runs on.
    pub call: Arc<CallState>,
    pub instance: u32,
    pub inputs: Vec<Val>,
    /// For each input, the block it is the offset of, if it is one of a moderate size.
    pub blocks: Vec<Option<Vec<u8>>>,
    /// Of the types that the results are to have.
    pub results: Vec<Val>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    step: Step,
    waker: Option<Waker>,
}

#[derive(Default)]
enum Step {
    #[default]
    Waiting,
    Asked(Request),
    Answered(Result<Reply, Failure>),
    Returned(Return),
    Over,
}

/// Its host function has returned, or its guest's call is being stopped.
pub fn stale() -> Failure {
    Failure::new(
        Code::Stale,
        "the host function this belongs to has returned",
    )
}

impl HostCall {
    /// Has the waiting guest do something. For the thread that called.
    pub fn ask(&self, request: Request) -> Result<Reply, Failure> {
        let waker = {
            let mut state = lock(&self.state);
            if !matches!(state.step, Step::Waiting) || self.call.is_stopped() {
                return Err(stale());
            }
            state.step = Step::Asked(request);
            state.waker.take()
        };
        let runnable = capture(|| waker.map_or((), Waker::wake));
        if let Some(runnable) = runnable {
            runnable.run();
        }
        let mut state = lock(&self.state);
        match std::mem::take(&mut state.step) {
            Step::Answered(reply) => reply,
            other => {
                state.step = other;
                Err(stale())
            }
        }
    }

    /// Lets the guest go on. `false` where it does not wait any longer.
    pub fn finish(&self, returned: Return) -> bool {
        let waker = {
            let mut state = lock(&self.state);
            if !matches!(state.step, Step::Waiting) || self.call.is_stopped() {
                return false;
            }
            state.step = Step::Returned(returned);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    pub fn is_over(&self) -> bool {
        self.call.is_stopped() || matches!(lock(&self.state).step, Step::Over | Step::Returned(_))
    }

    /// What the host function has for the guest.
    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<Request, Return>> {
        let mut state = lock(&self.state);
        match std::mem::take(&mut state.step) {
            Step::Asked(request) => Poll::Ready(Ok(request)),
            Step::Returned(returned) => {
                state.step = Step::Over;
                Poll::Ready(Err(returned))
            }
            other => {
                state.step = other;
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn answer(&self, reply: Result<Reply, Failure>) {
        lock(&self.state).step = Step::Answered(reply);
    }
}

/// Tells the thread that called, however the wait ends.
struct Waiting(Arc<HostCall>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        if !matches!(state.step, Step::Over) {
            state.step = Step::Over;
            drop(state);
            let queue = &self.0.call.place.queue;
            queue.push(Event::Forget(self.0.id));
        }
    }
}

/// Calls the embedder's host function of this number.
pub async fn run(
    caller: &mut Caller<'_, InstanceState>,
    function: Embedded,
    inputs: &[Val],
    outputs: &mut [Val],
) -> Result<(), Failure> {
    static IDS: AtomicU32 = AtomicU32::new(1);
    let call = caller.data().call.clone();
    let was_on_worker = call.place.is_on_worker();
    go_home(&call).await;
    let host_call = Arc::new(HostCall {
        id: IDS.fetch_add(1, Relaxed),
        function,
        instance: caller.data().identity.id,
        inputs: inputs.to_vec(),
        blocks: prefetch(caller, inputs)?,
        results: outputs.to_vec(),
        state: Mutex::default(),
        call: call.clone(),
    });
    let _waiting = Waiting(host_call.clone());
    call.place.queue.push(Event::HostCall(host_call.clone()));
    let returned = loop {
        match poll_fn(|context| host_call.poll(context)).await {
            Ok(request) => {
                // The host function waits for this answer, so there has to be one.
                let reply = contain(|| answer(caller, request));
                host_call.answer(reply);
            }
            Err(returned) => break returned,
        }
    };
    let result = apply(caller, returned, outputs);
    if was_on_worker && caller.data().plugin.off_thread {
        call.place.move_to_worker();
        yield_now().await;
    }
    result
}

/// Has the task polled by the thread that called.
async fn go_home(call: &CallState) {
    if !call.place.queue.is_current() {
        call.place.move_home();
        yield_now().await;
    }
}

/// Lets the executor choose who polls the task next.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| match std::mem::replace(&mut yielded, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

fn prefetch(
    caller: &mut Caller<'_, InstanceState>,
    inputs: &[Val],
) -> Result<Vec<Option<Vec<u8>>>, Failure> {
    let mut room = PREFETCH_BYTES;
    let mut blocks = Vec::with_capacity(inputs.len());
    for input in inputs {
        let block = input
            .i64()
            .and_then(|start| kernel::read(caller, start as u64));
        blocks.push(block.and_then(|bytes| {
            room = room.checked_sub(bytes.len())?;
            Some(bytes.to_vec())
        }));
    }
    Ok(blocks)
}

/// Does what a host function asks of a waiting guest.
fn answer(caller: &mut Caller<'_, InstanceState>, request: Request) -> Result<Reply, Failure> {
    faults::point("answer");
    Ok(match request {
        Request::Alloc(0) => Reply::Number(0),
        Request::Alloc(length) => Reply::Number(kernel::alloc(caller, length)?),
        Request::Store(bytes) => Reply::Number(kernel::store_bytes(caller, &bytes)?),
        Request::Free(start) => {
            kernel::free(caller, start);
            Reply::Number(0)
        }
        Request::Write(start, bytes) => {
            kernel::write(caller, start, &bytes)?;
            Reply::Number(0)
        }
        Request::Length(start) => Reply::Number(kernel::length(caller, start).unwrap_or(0)),
        Request::Fail(text) => {
            caller.data_mut().kernel.set_error(Some(text));
            Reply::Number(0)
        }
        Request::Read(start) => {
            let block = kernel::read(caller, start);
            Reply::Bytes(block.map(|bytes| bytes::copy(bytes)).transpose()?)
        }
    })
}

/// Does what a host function has left to be done when it returned.
fn apply(
    caller: &mut Caller<'_, InstanceState>,
    returned: Return,
    outputs: &mut [Val],
) -> Result<(), Failure> {
    match returned {
        Return::Failed(failure) => Err(failure),
        Return::Values(values, writes) => {
            for (start, bytes) in writes {
                // Some may have been freed meanwhile.
                kernel::write(caller, start, &bytes)?;
            }
            for (output, value) in outputs.iter_mut().zip(values) {
                *output = value;
            }
            Ok(())
        }
    }
}
