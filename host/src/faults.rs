//! Panics on purpose, for tests. A build with the feature `faults` can be told where; any other
//! has nothing of it.

#[cfg(feature = "faults")]
mod armed {
    use std::sync::Mutex;

    use crate::sync::lock;

    static ARMED: Mutex<Option<String>> = Mutex::new(None);

    /// The next time that code comes by this point, it panics, once.
    pub fn arm(point: String) {
        *lock(&ARMED) = Some(point);
    }

    #[expect(clippy::panic, reason = "what this is for")]
    pub fn point(name: &str) {
        let mut armed = lock(&ARMED);
        if armed.as_deref() == Some(name) {
            *armed = None;
            drop(armed);
            panic!("on purpose, at \"{name}\"");
        }
    }
}

#[cfg(feature = "faults")]
pub use armed::{arm, point};

/// A place that can be made to panic.
#[cfg(not(feature = "faults"))]
pub fn point(_name: &str) {}
