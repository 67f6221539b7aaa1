//! Calls that run on JavaScript's own thread, and call back into JavaScript from there.

use std::cell::RefCell;
use std::ptr;
use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::{FunctionRef, Uint8Array};

use super::host_call::HostCall;
use super::value::Value;
use crate::error::{Code, Failure};
use crate::host_function::Guest;

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
    /// The guests that wait on this thread, and the host calls they wait for, innermost last.
    static WAITING: RefCell<Vec<(u32, *mut Guest<'static>)>> = const { RefCell::new(Vec::new()) };
}

/// Runs a guest on this thread: its host functions are answered by `answering`.
pub fn run<T>(env: Env, answering: &Answering, f: impl FnOnce() -> T) -> T {
    let outer = SCOPE.replace(Some((env, answering.clone())));
    let result = f();
    SCOPE.set(outer);
    result
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
    let guest: *mut Guest<'_> = guest;
    WAITING.with_borrow_mut(|waiting| waiting.push((call.id, guest.cast())));
    let result = answering
        .borrow_back(&env)
        .and_then(|answering| answering.call(call));
    WAITING.with_borrow_mut(Vec::pop);
    result.map_err(|error| Failure::new(Code::HostFunction, error.to_string()))
}

/// Lets a host function use the guest that waits for it on this thread; `None` if none does.
pub fn with_guest<T>(call: u32, f: impl FnOnce(&mut Guest<'_>) -> T) -> Option<T> {
    let guest = exchange(call, ptr::null_mut()).filter(|guest| !guest.is_null())?;
    // SAFETY: `answer` has put the pointer there and is further up this thread's stack, with
    // the only reference to the guest, which it does not use until JavaScript has returned. A
    // null pointer is in its place meanwhile, so nobody makes a second reference.
    let result = f(unsafe { &mut *guest });
    exchange(call, guest);
    Some(result)
}

/// Puts a pointer in the place of the guest that waits for this host call.
fn exchange(call: u32, guest: *mut Guest<'static>) -> Option<*mut Guest<'static>> {
    WAITING.with_borrow_mut(|waiting| {
        let mut innermost = waiting.iter_mut().rev();
        let (_, place) = innermost.find(|(id, _)| *id == call)?;
        Some(std::mem::replace(place, guest))
    })
}
