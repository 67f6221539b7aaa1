//! Calls that run on JavaScript's own thread, and call back into JavaScript from there.

use std::cell::RefCell;
use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::{FunctionRef, Uint8Array};

use super::host_call::HostCall;
use super::raw;
use super::value::Value;
use crate::error::{Code, Failure};
use crate::host_function::Guest;

/// What the runtime and host functions run on, beside what a guest gets.
const STACK_BYTES: usize = 512 << 10;

/// How a host function in JavaScript ended.
#[napi(object, object_to_js = false)]
pub struct Answer {
    pub values: Vec<Value>,
    /// Blocks to overwrite.
    pub offsets: Vec<f64>,
    pub blocks: Vec<Uint8Array>,
    /// The number of the error it failed with.
    pub cause: Option<u32>,
    pub message: Option<String>,
}

/// The JavaScript function that runs a host function. It does not throw.
pub type Answering = Rc<FunctionRef<HostCall, Answer>>;

type Scope = (Env, Answering);

thread_local! {
    /// Set while this thread, which is JavaScript's, runs a guest.
    static SCOPE: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// Runs a guest on this thread: its host functions are answered by `answering`.
pub fn run<T>(env: Env, answering: &Answering, f: impl FnOnce() -> T) -> T {
    let outer = SCOPE.replace(Some((env, answering.clone())));
    let _restore = Restore(outer);
    f()
}

/// Puts the scope back, also where a panic comes by.
struct Restore(Option<Scope>);

impl Drop for Restore {
    fn drop(&mut self) {
        SCOPE.set(self.0.take());
    }
}

/// Whether this thread is JavaScript's and runs a guest.
pub fn is_here() -> bool {
    SCOPE.with_borrow(Option::is_some)
}

/// Has JavaScript answer a host call while the guest waits on this thread.
pub fn answer(guest: &mut Guest<'_>, call: HostCall) -> Result<Answer, Failure> {
    let Some((env, answering)) = SCOPE.with_borrow(Clone::clone) else {
        return Err(Failure::new(Code::Internal, "no call runs on this thread"));
    };
    let result = raw::lend(call.id, guest, || raw::call(&env, &answering, call));
    result.map_err(|error| Failure::new(Code::HostFunction, error.reason.clone()))
}

/// Whether this thread has what a guest may use of its stack.
pub fn check_stack(guest: usize) -> Result<(), Failure> {
    let needed = guest + STACK_BYTES;
    match stacker::remaining_stack() {
        Some(left) if left < needed => {
            let (left, needed) = (left >> 10, needed >> 10);
            let message = format!(
                "this thread has {left} KiB of its stack left, of which a call needs {needed}"
            );
            Err(Failure::new(Code::Trap, message))
        }
        _ => Ok(()),
    }
}
