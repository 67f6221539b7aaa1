//! The functions of `extism:host/env` that are in the host.

use wasmtime::{Caller, Linker};

use super::{alloc, exceeds, length, range, release, store_bytes};
use crate::bytes;
use crate::error::{Code, Failure, MAX_MESSAGE_BYTES};
use crate::instance::{InstanceState, report};
use crate::log::Level;
use crate::module::{ENV, LEGACY, LEGACY_PREFIX};
use crate::store::Value;
use crate::variables::MAX_NAME_BYTES;

/// Where the kernel's module finds its own imports.
const MODULE: &str = "host";

type Context<'a> = Caller<'a, InstanceState>;
type Result<T> = std::result::Result<T, wasmtime::Error>;

/// Adds all of them, for guests of either ABI.
pub fn add_to_linker(linker: &mut Linker<InstanceState>) -> Result<()> {
    linker.func_wrap(MODULE, "alloc", guest_alloc)?;
    linker.func_wrap(MODULE, "find", find)?;
    for legacy in [false, true] {
        let name = |service: &str| match legacy {
            true => (LEGACY, format!("{LEGACY_PREFIX}{service}")),
            false => (ENV, service.to_owned()),
        };
        macro_rules! add {
            ($service:literal, $function:expr) => {{
                let (module, name) = name($service);
                linker.func_wrap(module, &name, $function)?;
            }};
        }
        add!("free", |mut context: Context<'_>, start: u64| {
            super::free(&mut context, start)
        });
        let measure =
            |mut context: Context<'_>, start: u64| length(&mut context, start).unwrap_or(0);
        add!("length", measure);
        add!("length_unsafe", measure);
        add!("output_set", output_set);
        add!("error_set", error_set);
        add!("error_get", |context: Context<'_>| context
            .data()
            .kernel
            .error
            .0);
        add!("get_log_level", |context: Context<'_>| {
            context.data().plugin.logger.level().number()
        });
        add!("config_get", move |mut context: Context<'_>, key: u64| {
            config_get(&mut context, key, legacy)
        });
        add!("var_get", move |mut context: Context<'_>, key: u64| {
            var_get(&mut context, key, legacy)
        });
        let levels = [
            ("log_trace", Level::Trace),
            ("log_debug", Level::Debug),
            ("log_info", Level::Info),
            ("log_warn", Level::Warn),
            ("log_error", Level::Error),
        ];
        for (service, level) in levels {
            let (module, name) = name(service);
            linker.func_wrap_async(
                module,
                &name,
                move |mut context: Context<'_>, (message,): (u64,)| {
                    Box::new(async move { log(&mut context, level, message, legacy).await })
                },
            )?;
        }
        let (module, name) = name("var_set");
        linker.func_wrap_async(
            module,
            &name,
            move |mut context: Context<'_>, (key, value): (u64, u64)| {
                Box::new(async move { var_set(&mut context, key, value, legacy).await })
            },
        )?;
    }
    Ok(())
}

fn fail<T>(code: Code, message: String) -> Result<T> {
    Err(wasmtime::Error::new(Failure::new(code, message)))
}

/// 0 where there may be no more blocks; a memory that may not grow ends the call.
fn guest_alloc(mut context: Context<'_>, length: u64) -> Result<u64> {
    if length == 0 || length > super::MAX_BLOCK_BYTES {
        return Ok(0);
    }
    if let Err(message) = exceeds(&context, length) {
        context.data_mut().notices.push(message);
        return Ok(0);
    }
    alloc(&mut context, length).map_err(wasmtime::Error::new)
}

fn find(mut context: Context<'_>, address: u64, size: u64) -> Result<u64> {
    match context.data_mut().kernel.blocks.find(address) {
        Some((start, length)) if length - (address - start) >= size => Ok(start << 32 | length),
        _ => fail(
            Code::Memory,
            format!("the plugin stored {size} bytes at {address}, outside of its blocks"),
        ),
    }
}

fn output_set(mut context: Context<'_>, start: u64, length: u64) -> Result<()> {
    let kernel = &mut context.data_mut().kernel;
    let fits = |(block, size): (u64, u64)| size - (start - block) >= length;
    if length != 0 && !kernel.blocks.find(start).is_some_and(fits) {
        return fail(
            Code::Memory,
            format!("the plugin's output of {length} bytes at {start} is not inside a block"),
        );
    }
    kernel.output = Some(match length {
        0 => (0, 0),
        length => (start, length),
    });
    Ok(())
}

/// The guest reports an error, or takes it back. The text is read now: the guest may free it.
fn error_set(mut context: Context<'_>, start: u64) -> Result<()> {
    let text = match start {
        0 => None,
        start => match text(&mut context, start)? {
            Some(text) => Some(text),
            None => {
                return fail(
                    Code::Memory,
                    format!("the plugin's error at {start} is not a block"),
                );
            }
        },
    };
    context.data_mut().kernel.error = (start, text);
    Ok(())
}

/// The text of a block, cut to what messages may have.
fn text(context: &mut Context<'_>, start: u64) -> Result<Option<String>> {
    let Some(length) = length(context, start) else {
        return Ok(None);
    };
    let bytes = range(context, start, length.min(MAX_MESSAGE_BYTES as u64))?;
    Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
}

/// The bytes of a key or a value that the guest passed: none at the address 0, which is what PDKs
/// pass for an empty text.
fn passed(context: &mut Context<'_>, start: u64, max: u64) -> Result<Vec<u8>> {
    if start == 0 {
        return Ok(Vec::new());
    }
    match length(context, start) {
        Some(length) => Ok(bytes::copy(range(context, start, length.min(max))?)?),
        None => fail(
            Code::Memory,
            format!("what the plugin passed, {start}, is not a block"),
        ),
    }
}

/// Keys, values and messages belong to the host once they are passed, but for guests of the ABI
/// of 2023.
fn hand_over(context: &mut Context<'_>, start: u64, legacy: bool) {
    if !legacy {
        release(context, start);
    }
}

/// A block with this value: its address, 0 for none.
fn give(context: &mut Context<'_>, value: Option<Value>) -> Result<u64> {
    let Some(value) = value else {
        return Ok(0);
    };
    let length = value.as_bytes().len();
    store_bytes(context, value.as_bytes()).map_err(|failure| {
        let message = format!(
            "no memory for a value of {length} bytes: {}",
            failure.message
        );
        wasmtime::Error::new(Failure::new(Code::OutOfMemory, message))
    })
}

fn config_get(context: &mut Context<'_>, key: u64, legacy: bool) -> Result<u64> {
    let name = passed(context, key, u64::MAX)?;
    let plugin = context.data().plugin.clone();
    let value = std::str::from_utf8(&name)
        .ok()
        .and_then(|name| plugin.config.get(name));
    hand_over(context, key, legacy);
    give(context, value.map(|value| Value::from(value.as_str())))
}

fn var_get(context: &mut Context<'_>, key: u64, legacy: bool) -> Result<u64> {
    let name = passed(context, key, u64::MAX)?;
    let value = context.data().identity.variables.get(&name);
    hand_over(context, key, legacy);
    give(context, value)
}

/// Sets a variable, or removes it where the value is at 0. One that is too large is the guest's
/// error, which its call fails with in the end.
async fn var_set(context: &mut Context<'_>, key: u64, value: u64, legacy: bool) -> Result<()> {
    // Of a longer name, it is enough to know that it is too long.
    let name = passed(context, key, MAX_NAME_BYTES + 1)?;
    let variables = context.data().identity.variables.clone();
    if value == 0 {
        variables.remove(&name);
        hand_over(context, key, legacy);
        return Ok(());
    }
    let Some(length) = length(context, value) else {
        return fail(
            Code::Memory,
            format!("what the plugin passed, {value}, is not a block"),
        );
    };
    let refused = variables.set(&name, range(context, value, length)?).err();
    hand_over(context, key, legacy);
    hand_over(context, value, legacy);
    if let Some(message) = refused {
        report(context, Level::Error, &message).await?;
        context.data_mut().kernel.set_error(Some(message));
    }
    Ok(())
}

async fn log(context: &mut Context<'_>, level: Level, message: u64, legacy: bool) -> Result<()> {
    if context.data().plugin.logger.level() <= level {
        // A text of no bytes is at the address 0.
        let message = match message {
            0 => Some(String::new()),
            message => text(context, message)?,
        };
        if let Some(message) = message {
            report(context, level, &message).await?;
        }
    }
    hand_over(context, message, legacy);
    Ok(())
}
