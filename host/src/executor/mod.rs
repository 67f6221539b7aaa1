//! Who polls an instance's task: the thread that called, or a worker.

mod place;
mod queue;
pub mod slice;
pub mod workers;

pub use place::{Place, Runnable, capture, spawn};
pub use queue::{Event, Queue, Wake};
pub use workers::discard;
