//! How other threads wake the event loop, once for a burst.

use std::cell::Cell;

use extism_host::executor::Wake;
use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};

use super::raw;

type Bell = ThreadsafeFunction<(), (), (), Status, false, true>;

/// The event loop's side. The bell itself belongs to whoever may ring it.
pub struct Doorbell {
    bell: Cell<Option<sys::napi_threadsafe_function>>,
}

impl Doorbell {
    /// `ring` is called on the event loop. It must not throw.
    pub fn new(ring: Function<'_, (), ()>) -> Result<(Self, Wake)> {
        let bell: Bell = ring
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .build_callback(|_| Ok(()))?;
        let doorbell = Self {
            bell: Cell::new(Some(bell.raw())),
        };
        let wake = move || {
            // It fails only where the environment is gone, and every promise with it.
            bell.call((), ThreadsafeFunctionCallMode::NonBlocking);
        };
        Ok((doorbell, Box::new(wake)))
    }

    /// Whether the event loop goes on while nothing but operations of ours is pending.
    pub fn keep_alive(&self, env: &Env, alive: bool) {
        if let Some(bell) = self.bell.get() {
            raw::keep_alive(env, bell, alive);
        }
    }

    /// The environment is about to end, and with it the bell.
    pub fn disconnect(&self) {
        self.bell.set(None);
    }
}
