//! Calls that run on JavaScript's own thread, and call back into JavaScript from there.

use std::cell::RefCell;
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::*;
use napi::{Env, sys};

use super::host_call::HostCall;
use super::value::Value;
use crate::error::{Code, Failure};
use crate::host_function::Guest;

/// A guest gets 512 KiB of the stack; the runtime and host functions run on what is left.
const STACK_BYTES: usize = 1 << 20;

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
pub fn answer(guest: &mut Guest<'_>, call: HostCall) -> std::result::Result<Answer, Failure> {
    let Some((env, answering)) = SCOPE.with_borrow(Clone::clone) else {
        return Err(Failure::new(Code::Internal, "no call runs on this thread"));
    };
    let guest: *mut Guest<'_> = guest;
    WAITING.with_borrow_mut(|waiting| waiting.push((call.id, guest.cast())));
    let result = call_once(&env, &answering, call);
    WAITING.with_borrow_mut(Vec::pop);
    result.map_err(|error| Failure::new(Code::HostFunction, error.reason.clone()))
}

/// Calls JavaScript with handles that are gone when it returns: a guest may call many thousand
/// times before its own call does.
fn call_once(env: &Env, answering: &Answering, call: HostCall) -> Result<Answer> {
    let mut scope = ptr::null_mut();
    // SAFETY: on JavaScript's thread, with a place for the result.
    check_status!(unsafe { sys::napi_open_handle_scope(env.raw(), &mut scope) })?;
    let result = call_raw(env, answering, call);
    // SAFETY: the scope opened above is the innermost one again, and no handle of it is left.
    unsafe { sys::napi_close_handle_scope(env.raw(), scope) };
    result
}

/// The answering function does not throw, but V8 may have no stack left to enter it. To make
/// an error of what V8 throws then would take more of that stack, which is why nothing looks
/// at it.
fn call_raw(env: &Env, answering: &Answering, call: HostCall) -> Result<Answer> {
    let function = answering.borrow_back(env)?;
    let (mut receiver, mut result) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: all values are handles of the scope that is open on this thread, and there is one
    // argument, as the call says.
    let status = unsafe {
        let argument = HostCall::to_napi_value(env.raw(), call)?;
        check_status!(sys::napi_get_undefined(env.raw(), &mut receiver))?;
        sys::napi_call_function(
            env.raw(),
            receiver,
            function.raw(),
            1,
            &argument,
            &mut result,
        )
    };
    if status == sys::Status::napi_pending_exception {
        // SAFETY: as above.
        unsafe { sys::napi_get_and_clear_last_exception(env.raw(), &mut result) };
        return Err(Error::from_reason(
            "the call stack of JavaScript is used up",
        ));
    }
    check_status!(status)?;
    // SAFETY: the result is a handle of the open scope.
    unsafe { Answer::from_napi_value(env.raw(), result) }
}

/// Whether this thread has what a guest may use of its stack.
pub fn check_stack() -> std::result::Result<(), Failure> {
    match stacker::remaining_stack() {
        Some(left) if left < STACK_BYTES => {
            let (left, needed) = (left >> 10, STACK_BYTES >> 10);
            let message = format!(
                "this thread has {left} KiB of its stack left, of which a call needs {needed}"
            );
            Err(Failure::new(Code::Trap, message))
        }
        _ => Ok(()),
    }
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
