//! What the guard asks of the host on behalf of guests.

use std::sync::Arc;
use std::time::Duration;

use extism::Val;

use super::host::{Service, number};
use super::{Recipe, Slot};
use crate::bytes;
use crate::error::{Code, Failure, MAX_MESSAGE_BYTES};
use crate::host_function::Guest;
use crate::log::{Level, Logger, Passed};
use crate::store::Value;
use crate::variables::MAX_NAME_BYTES;

/// How long to wait before looking again whether there is room for what a guest logs or prints.
const ROOM_AGAIN: Duration = Duration::from_millis(1);

/// The guest reports an error, or takes it back. The text is kept here, since the runtime does
/// not tell it from the reason of a trap.
pub fn error_set(guest: &mut Guest<'_>, inputs: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    let length = number(&inputs[1]).min(MAX_MESSAGE_BYTES as u64);
    let text = match length {
        0 => None,
        length => {
            let bytes = guest.range(number(&inputs[0]), length)?;
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    };
    guest.slot.set_error(text);
    Ok(())
}

/// Sleeps for some nanoseconds, or until the call is stopped.
pub fn sleep(guest: &mut Guest<'_>, inputs: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    guest.slot.sleep(Duration::from_nanos(number(&inputs[0])))
}

/// Prints what a guest with WASI writes to its standard output or error: the answer is whether
/// that was possible.
pub fn print(recipe: &Arc<Recipe>) -> Service {
    let (output, logger) = (recipe.output.clone(), recipe.logger.clone());
    Box::new(move |guest, inputs, outputs| {
        let is_error = inputs[0].i32() == Some(2);
        let slot = guest.slot;
        let bytes = guest.range(number(&inputs[1]), number(&inputs[2]))?;
        let printed = match slot.quota().log(bytes.len() as u64) {
            Ok(()) => pass(slot, || output.print(is_error, bytes))?,
            Err(notice) => warn(slot, &logger, notice)?,
        };
        outputs[0] = Val::I32(printed.into());
        Ok(())
    })
}

/// Passes something on once there is room, unless there never is: whether it was.
fn pass(slot: &Slot, mut send: impl FnMut() -> Passed) -> Result<bool, Failure> {
    loop {
        match send() {
            Passed::On => return Ok(true),
            Passed::Never => return Ok(false),
            Passed::Later => slot.sleep(ROOM_AGAIN)?,
        }
    }
}

/// Passes a message on, as far as the call may log.
fn report(
    slot: &Slot,
    logger: &Arc<dyn Logger>,
    level: Level,
    text: &str,
) -> Result<bool, Failure> {
    match slot.quota().log(text.len() as u64) {
        Ok(()) => pass(slot, || logger.log(level, text)),
        Err(notice) => warn(slot, logger, notice),
    }
}

/// Says, the first time, that nothing further is passed on.
fn warn(slot: &Slot, logger: &Arc<dyn Logger>, notice: Option<String>) -> Result<bool, Failure> {
    if let Some(notice) = notice {
        pass(slot, || logger.log(Level::Warn, &notice))?;
    }
    Ok(false)
}

/// Copies the value that a lookup has found into a block that the guard has made for it.
pub fn fetch(guest: &mut Guest<'_>, inputs: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    if let Some(value) = guest.slot.take_over() {
        let block = guest.range(number(&inputs[0]), number(&inputs[1]))?;
        block.copy_from_slice(value.as_bytes());
    }
    Ok(())
}

/// The guest wants more blocks than it may have: so many bytes.
pub fn limited(recipe: &Arc<Recipe>) -> Service {
    let logger = recipe.logger.clone();
    Box::new(move |guest, inputs, _| {
        if let Some(message) = guest.slot.quota().exceeds(number(&inputs[0])) {
            report(guest.slot, &logger, Level::Error, &message)?;
        }
        Ok(())
    })
}

/// The guest has given a block back.
pub fn freed(guest: &mut Guest<'_>, inputs: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    guest.slot.quota().freed(number(&inputs[0]));
    Ok(())
}

pub fn refuse(_: &mut Guest<'_>, inputs: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    let (address, length) = (number(&inputs[1]), number(&inputs[2]));
    Err(match inputs[0].i32().unwrap_or_default() {
        1 => Failure::new(
            Code::Memory,
            format!("the plugin stored {length} bytes at {address}, outside of its blocks"),
        ),
        2 => Failure::new(
            Code::Memory,
            format!("the plugin's output of {length} bytes at {address} is not inside a block"),
        ),
        3 => Failure::new(
            Code::Memory,
            format!("the plugin's error at {address} is not a block"),
        ),
        4 => Failure::new(
            Code::OutOfMemory,
            format!("no memory for an input of {length} bytes"),
        ),
        5 => Failure::new(
            Code::OutOfMemory,
            format!("no memory for a value of {length} bytes"),
        ),
        6 => Failure::new(
            Code::Memory,
            format!("what the plugin passed, {address}, is not a block"),
        ),
        _ => Failure::new(Code::OutOfMemory, "too many blocks".to_owned()),
    })
}

/// Hands a value over to the guard, which fetches it: its length, or -1 for none.
fn give(guest: &mut Guest<'_>, value: Option<Value>, outputs: &mut [Val]) {
    let length = value.map_or(-1, |value| {
        let length = value.as_bytes().len();
        guest.hand_over(value);
        length as i64
    });
    outputs[0] = Val::I64(length);
}

pub fn config_get(recipe: &Arc<Recipe>) -> Service {
    let recipe = recipe.clone();
    Box::new(move |guest, inputs, outputs| {
        let key = guest.range(number(&inputs[0]), number(&inputs[1]))?;
        let value = std::str::from_utf8(key)
            .ok()
            .and_then(|key| recipe.config.get(key));
        let value = value.map(|value| Value::from(value.as_str()));
        give(guest, value, outputs);
        Ok(())
    })
}

pub fn var_get(guest: &mut Guest<'_>, inputs: &[Val], outputs: &mut [Val]) -> Result<(), Failure> {
    let variables = guest.slot.variables();
    let name = guest.range(number(&inputs[0]), number(&inputs[1]))?;
    let value = variables.get(name);
    give(guest, value, outputs);
    Ok(())
}

/// Sets a variable, or removes it where the value is at 0. One that is too large is the guest's
/// error, which its call fails with in the end.
pub fn var_set(recipe: &Arc<Recipe>) -> Service {
    let logger = recipe.logger.clone();
    Box::new(move |guest, inputs, _| {
        let variables = guest.slot.variables();
        // Of a longer name, it is enough to know that it is too long.
        let length = number(&inputs[1]).min(MAX_NAME_BYTES + 1);
        let name = bytes::copy(guest.range(number(&inputs[0]), length)?)?;
        let value = number(&inputs[2]);
        if value == 0 {
            variables.remove(&name);
            return Ok(());
        }
        let value = guest.range(value, number(&inputs[3]))?;
        if let Err(message) = variables.set(&name, value) {
            report(guest.slot, &logger, Level::Error, &message)?;
            guest.slot.set_error(Some(message));
        }
        Ok(())
    })
}

pub fn log(recipe: &Arc<Recipe>) -> Service {
    let logger = recipe.logger.clone();
    Box::new(move |guest, inputs, _| {
        let level = Level::from_number(inputs[0].i32().unwrap_or_default());
        let length = number(&inputs[2]);
        if length != 0 && logger.level() <= level {
            let slot = guest.slot;
            let bytes = guest.range(number(&inputs[1]), length.min(MAX_MESSAGE_BYTES as u64))?;
            report(slot, &logger, level, &String::from_utf8_lossy(bytes))?;
        }
        Ok(())
    })
}

pub fn log_level(recipe: &Arc<Recipe>) -> Service {
    let logger = recipe.logger.clone();
    Box::new(move |_, _, outputs| {
        outputs[0] = Val::I32(logger.level().number());
        Ok(())
    })
}
