//! The home of this package's `unsafe`: what Node's interface can do, and napi-rs has no safe
//! words for. Everything in here is called on the thread of its environment, which is where an
//! [`Env`] is.

use napi::bindgen_prelude::*;
use napi::{Env, sys};

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
    // SAFETY: the value was made just now, in the scope that is open.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), raw) })
}

/// The bytes that both sides write to.
pub fn shared(array: &mut Uint8Array) -> &mut [u8] {
    // SAFETY: the array is the mailbox, which JavaScript's side keeps to itself: it is not
    // detached, and JavaScript does not run while this reference lives.
    unsafe { array.as_mut() }
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
