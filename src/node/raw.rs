//! The home of this package's `unsafe`: what Node's interface can do, and napi-rs has no safe
//! words for. Everything in here is called on the thread of its environment, which is where an
//! [`Env`] is.

use std::cell::RefCell;
use std::ptr;

use napi::bindgen_prelude::*;
use napi::{Env, Status, sys};

use crate::host_function::Guest;

/// A promise that can be settled later. It may travel between threads meanwhile.
pub struct Deferred(sys::napi_deferred);

// SAFETY: the handle is only dereferenced by `resolve` and `reject`, which an `Env` keeps on the
// thread of the environment; other threads carry it there.
unsafe impl Send for Deferred {}

impl Deferred {
    /// With the promise for JavaScript.
    pub fn new(env: &Env) -> Result<(Self, Unknown<'_>)> {
        let (mut deferred, mut promise) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: there are places for both results.
        check_status!(unsafe { sys::napi_create_promise(env.raw(), &mut deferred, &mut promise) })?;
        Ok((Self(deferred), unknown(env, promise)))
    }

    pub fn resolve(self, env: &Env, value: Unknown<'_>) {
        // SAFETY: a deferred is used once, which this consumes. It only fails where the
        // environment is shutting down, and every promise with it.
        unsafe { sys::napi_resolve_deferred(env.raw(), self.0, value.raw()) };
    }

    pub fn reject(self, env: &Env, error: Unknown<'_>) {
        // SAFETY: as above.
        unsafe { sys::napi_reject_deferred(env.raw(), self.0, error.raw()) };
    }
}

/// Whether a threadsafe function, which has not been dropped, keeps the event loop alive.
pub fn keep_alive(env: &Env, bell: sys::napi_threadsafe_function, alive: bool) {
    // SAFETY: the caller still has the function, whose thread this is.
    unsafe {
        match alive {
            true => sys::napi_ref_threadsafe_function(env.raw(), bell),
            false => sys::napi_unref_threadsafe_function(env.raw(), bell),
        }
    };
}

/// Anything as a value of JavaScript's.
pub fn value<T: ToNapiValue>(env: &Env, value: T) -> Result<Unknown<'_>> {
    // SAFETY: this is the thread of the environment.
    let raw = unsafe { T::to_napi_value(env.raw(), value) }?;
    Ok(unknown(env, raw))
}

fn unknown(env: &Env, raw: sys::napi_value) -> Unknown<'_> {
    // SAFETY: the value was made just now, in the scope that is open.
    unsafe { Unknown::from_raw_unchecked(env.raw(), raw) }
}

/// Bytes that become a Buffer of V8's own. Memory of ours under a Buffer would stay until the
/// event loop comes round, which it does not while a call runs on its thread.
pub struct Bytes(pub Vec<u8>);

impl ToNapiValue for Bytes {
    unsafe fn to_napi_value(env: sys::napi_env, bytes: Self) -> Result<sys::napi_value> {
        let buffer = BufferSlice::copy_from(&Env::from_raw(env), bytes.0)?;
        // SAFETY: the caller's: the environment's thread, and a scope that is open.
        unsafe { BufferSlice::to_napi_value(env, buffer) }
    }
}

/// Calls JavaScript with handles that are gone when it returns: a guest may call many thousand
/// times before its own call does.
///
/// The function should not throw, but V8 may have no stack left to enter it. To make an error of
/// what V8 throws then would take more of that stack, which is why nothing looks at it.
pub fn call<A, R>(env: &Env, function: &FunctionRef<A, R>, argument: A) -> Result<R>
where
    A: ToNapiValue + JsValuesTupleIntoVec,
    R: FromNapiValue,
{
    let mut scope = ptr::null_mut();
    // SAFETY: there is a place for the result.
    check_status!(unsafe { sys::napi_open_handle_scope(env.raw(), &mut scope) })?;
    let result = call_in_scope(env, function, argument);
    // SAFETY: the scope opened above is the innermost one again, and no handle of it is left.
    unsafe { sys::napi_close_handle_scope(env.raw(), scope) };
    result
}

fn call_in_scope<A, R>(env: &Env, function: &FunctionRef<A, R>, argument: A) -> Result<R>
where
    A: ToNapiValue + JsValuesTupleIntoVec,
    R: FromNapiValue,
{
    let function = function.borrow_back(env)?;
    let receiver = value(env, ())?.raw();
    let argument = value(env, argument)?.raw();
    let mut result = ptr::null_mut();
    // SAFETY: all values are handles of the scope that is open, and there is one argument.
    let status = unsafe {
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
        // SAFETY: there is a place for the result.
        unsafe { sys::napi_get_and_clear_last_exception(env.raw(), &mut result) };
        let message = "the call stack of JavaScript is used up";
        return Err(Error::new(Status::PendingException, message));
    }
    check_status!(status)?;
    // SAFETY: the result is a handle of the scope that is open.
    unsafe { R::from_napi_value(env.raw(), result) }
}

thread_local! {
    /// The guests that wait on this thread, and what they wait for, innermost last.
    static LENT: RefCell<Vec<(u32, *mut Guest<'static>)>> = const { RefCell::new(Vec::new()) };
}

/// Lends a guest to [`with_guest`] while `f` runs.
pub fn lend<T>(call: u32, guest: &mut Guest<'_>, f: impl FnOnce() -> T) -> T {
    let guest: *mut Guest<'_> = guest;
    LENT.with_borrow_mut(|lent| lent.push((call, guest.cast())));
    let _end = End;
    f()
}

/// Ends a loan, also where a panic comes by: the guest does not outlive it.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        LENT.with_borrow_mut(Vec::pop);
    }
}

/// Uses the guest that was lent for this host call on this thread; `None` if none was.
pub fn with_guest<T>(call: u32, f: impl FnOnce(&mut Guest<'_>) -> T) -> Option<T> {
    let guest = exchange(call, ptr::null_mut()).filter(|guest| !guest.is_null())?;
    // SAFETY: `lend` is further up this thread's stack, with the only reference to the guest,
    // which it does not use until its `f` has returned. A null pointer is in its place
    // meanwhile, so nobody makes a second reference.
    let result = f(unsafe { &mut *guest });
    exchange(call, guest);
    Some(result)
}

/// Puts a pointer in the place of the guest that was lent for this host call.
fn exchange(call: u32, guest: *mut Guest<'static>) -> Option<*mut Guest<'static>> {
    LENT.with_borrow_mut(|lent| {
        let mut innermost = lent.iter_mut().rev();
        let (_, place) = innermost.find(|(id, _)| *id == call)?;
        Some(std::mem::replace(place, guest))
    })
}
