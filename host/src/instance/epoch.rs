//! What happens to a guest when an epoch ends.

use std::time::Instant;

use wasmtime::{StoreContextMut, UpdateDeadline};

use super::InstanceState;
use crate::executor::slice;

/// Decides whether a guest goes on, lets others go on, or ends.
pub fn ended(context: StoreContextMut<'_, InstanceState>) -> wasmtime::Result<UpdateDeadline> {
    let call = &context.data().call;
    let now = Instant::now();
    if call.is_stopped() || (call.deadline.is_some() && call.expire(now).is_none()) {
        return Ok(UpdateDeadline::Interrupt);
    }
    if !slice::is_over(now) {
        return Ok(UpdateDeadline::Continue(1));
    }
    call.place.yielded();
    Ok(UpdateDeadline::Yield(1))
}
