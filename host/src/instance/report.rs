//! What a call logs, as far as it may.

use std::time::Duration;

use wasmtime::AsContextMut;

use super::InstanceState;
use super::state::Share;
use crate::error::Failure;
use crate::log::{Level, Passed};
use crate::sync::lock;

/// How long to wait before looking again whether there is room for what a guest logs.
const ROOM_AGAIN: Duration = Duration::from_millis(1);

/// Passes a message on once there is room for it. Beyond what the call may log, a notice takes the
/// place of the first message, and nothing that of the others.
pub async fn report(
    store: &mut impl AsContextMut<Data = InstanceState>,
    level: Level,
    message: &str,
) -> Result<(), Failure> {
    flush(store).await?;
    pass(store, level, message).await
}

/// Passes on what services have left that could not wait.
pub async fn flush(store: &mut impl AsContextMut<Data = InstanceState>) -> Result<(), Failure> {
    for notice in std::mem::take(&mut store.as_context_mut().data_mut().notices) {
        pass(store, Level::Error, &notice).await?;
    }
    Ok(())
}

async fn pass(
    store: &mut impl AsContextMut<Data = InstanceState>,
    level: Level,
    message: &str,
) -> Result<(), Failure> {
    let (share, max) = {
        let context = store.as_context_mut();
        let state = context.data();
        let share = lock(&state.printing).logs.take(message.len());
        (share, state.plugin.limits.log_bytes)
    };
    match share {
        Share::Granted => send(store, level, message).await,
        Share::Denied => Ok(()),
        Share::UsedUp => {
            let notice = format!("a call may log {max} bytes (maxLogBytes), the rest is dropped");
            send(store, Level::Warn, &notice).await
        }
    }
}

async fn send(
    store: &mut impl AsContextMut<Data = InstanceState>,
    level: Level,
    message: &str,
) -> Result<(), Failure> {
    let (logger, call) = {
        let context = store.as_context_mut();
        let state = context.data();
        (state.plugin.logger.clone(), state.call.clone())
    };
    while logger.log(&call, level, message) == Passed::Later {
        tokio::time::sleep(ROOM_AGAIN).await;
    }
    Ok(())
}
