//! What the driver and the guard ask of the host, and the host functions of users.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use extism::{CurrentPlugin, Function, UserData, Val, ValType};

use super::{Begun, Recipe, Slot, Source};
use crate::error::{Code, Failure};
use crate::host_function::{Guest, HostFunction};
use crate::log::{Level, MAX_MESSAGE_BYTES};
use crate::module::{FUNCTION, HOST};
use crate::threads::panic_message;

const PTR: ValType = ValType::I64;

/// Every function that an instance's modules may import from us.
pub fn functions(
    recipe: &Arc<Recipe>,
    slot: &Arc<Slot>,
    source: &Arc<dyn Source>,
) -> Vec<Function> {
    let host = |name: &str, params: &[ValType], results: &[ValType], body| {
        function(HOST, name, params, results, slot, body)
    };
    let mut functions = vec![
        host(
            "next",
            &[],
            &[ValType::I32, PTR],
            next(recipe, slot, source),
        ),
        host("input", &[PTR], &[], Box::new(input)),
        host(
            "done",
            &[ValType::I32, ValType::I32, PTR, PTR],
            &[ValType::I32],
            done(recipe, source),
        ),
        host("error_set", &[PTR, PTR], &[], Box::new(error_set)),
        host("sleep", &[PTR], &[], Box::new(sleep)),
        host("fetch", &[PTR, PTR], &[], Box::new(fetch)),
        host("refuse", &[ValType::I32, PTR, PTR], &[], Box::new(refuse)),
        host("log", &[ValType::I32, PTR, PTR], &[], log(recipe)),
        host("get_log_level", &[], &[ValType::I32], log_level(recipe)),
    ];
    let http: [(&str, &[ValType], ValType); 3] = [
        ("http_request", &[PTR, PTR], PTR),
        ("http_status_code", &[], ValType::I32),
        ("http_headers", &[], PTR),
    ];
    for ((name, params, result), body) in http.into_iter().zip(recipe.http.clone()) {
        let service = Box::new(
            move |guest: &mut Guest<'_>, inputs: &[Val], outputs: &mut [Val]| {
                body.call(guest, inputs, outputs)
                    .map_err(|failure| failure.in_host_function(name))
            },
        );
        functions.push(host(name, params, &[result], service));
    }
    for (number, user) in recipe.functions.iter().enumerate() {
        let HostFunction {
            name,
            params,
            results,
            body,
            ..
        } = user.clone();
        let params = if body.is_lookup() {
            vec![PTR, PTR]
        } else {
            params
        };
        functions.push(function(
            FUNCTION,
            &number.to_string(),
            &params,
            &results,
            slot,
            Box::new(move |guest, inputs, outputs| {
                body.call(guest, inputs, outputs)
                    .map_err(|failure| failure.in_host_function(&name))
            }),
        ));
    }
    functions
}

type Service = Box<dyn Fn(&mut Guest<'_>, &[Val], &mut [Val]) -> Result<(), Failure> + Send + Sync>;

/// A function for the linker. A failure, or a panic, is noted in the slot and ends the guest's
/// call; unwinding through the runtime would make the instance unusable for ever.
fn function(
    namespace: &str,
    name: &str,
    params: &[ValType],
    results: &[ValType],
    slot: &Arc<Slot>,
    service: Service,
) -> Function {
    let slot = slot.clone();
    let zeros: Vec<_> = results.iter().map(zero).collect();
    let body =
        move |plugin: &mut CurrentPlugin, inputs: &[Val], outputs: &mut [Val], _: UserData<()>| {
            outputs.clone_from_slice(&zeros);
            let result = catch_unwind(AssertUnwindSafe(|| {
                service(&mut Guest::new(plugin, &slot), inputs, outputs)
            }));
            let result = result
                .unwrap_or_else(|panic| Err(Failure::new(Code::Internal, panic_message(&*panic))));
            result.map_err(|failure| {
                slot.note(failure.clone());
                extism::Error::new(failure)
            })
        };
    Function::new(
        name,
        params.to_vec(),
        results.to_vec(),
        UserData::new(()),
        body,
    )
    .with_namespace(namespace)
}

/// What a result is that a service does not set.
fn zero(ty: &ValType) -> Val {
    match ty {
        ValType::I32 => Val::I32(0),
        ValType::F32 => Val::F32(0),
        ValType::F64 => Val::F64(0),
        _ => Val::I64(0),
    }
}

fn number(value: &Val) -> u64 {
    value.i64().unwrap_or_default() as u64
}

/// Which entry the driver is to run now, and the length of its input; -1 for none.
fn next(recipe: &Arc<Recipe>, slot: &Arc<Slot>, source: &Arc<dyn Source>) -> Service {
    let initializers = recipe.blueprint.initializers;
    let (slot, source) = (slot.clone(), source.clone());
    Box::new(move |_, _, outputs| {
        if slot.is_free() && source.begin_next(&slot) == Begun::Refused {
            let message = "the instance is being stopped";
            return Err(Failure::new(Code::Cancelled, message));
        }
        let (entry, length) = slot
            .entry(initializers)
            .map_or((-1, 0), |(entry, length)| (entry as i32, length));
        outputs[0] = Val::I32(entry);
        outputs[1] = Val::I64(length as i64);
        Ok(())
    })
}

fn input(guest: &mut Guest<'_>, inputs: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    let offset = number(&inputs[0]);
    if offset != 0 {
        let bytes = guest.slot.take_input();
        guest
            .range(offset, bytes.len() as u64)?
            .copy_from_slice(&bytes);
    }
    Ok(())
}

/// An entry has returned: its code, whether it set an output, and where that is. The answer is
/// whether a stop is on its way.
fn done(recipe: &Arc<Recipe>, source: &Arc<dyn Source>) -> Service {
    let (recipe, source) = (recipe.clone(), source.clone());
    Box::new(move |guest, inputs, outputs| {
        let blueprint = &recipe.blueprint;
        let code = inputs[0].i32().unwrap_or_default();
        let error = guest.slot.take_error();
        if guest.slot.initialized(blueprint.initializers) {
            let failed = |text| {
                Err(Failure::new(
                    Code::Guest,
                    format!("the plugin's start code failed: {text}"),
                ))
            };
            return error.map_or(Ok(()), failed);
        }
        let outcome = match error {
            Some(text) => Err(Failure::new(Code::Guest, text).with_exit_code(code)),
            None if code != 0 => Err(Failure::new(
                Code::Exit,
                format!("the plugin returned {code}"),
            )
            .with_exit_code(code)),
            None if inputs[1].i32() == Some(0) => Ok(None),
            None => Ok(Some(
                guest
                    .range(number(&inputs[2]), number(&inputs[3]))?
                    .to_vec(),
            )),
        };
        // A call that is being stopped is settled where the stop arrives.
        let Some((call, ran)) = guest.slot.finish() else {
            outputs[0] = Val::I32(1);
            return Ok(());
        };
        let function = call.function;
        recipe.settle(&source, call, ran, outcome);
        if blueprint.commands.contains(&function) {
            return Err(Failure::new(Code::Internal, "a command runs once"));
        }
        Ok(())
    })
}

/// The guest reports an error, or takes it back. The text is kept here, since the runtime does
/// not tell it from the reason of a trap.
fn error_set(guest: &mut Guest<'_>, inputs: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    let length = number(&inputs[1]).min(MAX_MESSAGE_BYTES);
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
fn sleep(guest: &mut Guest<'_>, inputs: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    guest.slot.sleep(Duration::from_nanos(number(&inputs[0])))
}

/// Copies the value that a lookup has found into a block that the guard has made for it.
fn fetch(guest: &mut Guest<'_>, inputs: &[Val], _: &mut [Val]) -> Result<(), Failure> {
    if let Some(value) = guest.slot.take_over() {
        let block = guest.range(number(&inputs[0]), number(&inputs[1]))?;
        block.copy_from_slice(value.as_bytes());
    }
    Ok(())
}

fn refuse(_: &mut Guest<'_>, inputs: &[Val], _: &mut [Val]) -> Result<(), Failure> {
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
        _ => Failure::new(Code::OutOfMemory, "too many blocks".to_owned()),
    })
}

fn log(recipe: &Arc<Recipe>) -> Service {
    let logger = recipe.logger.clone();
    Box::new(move |guest, inputs, _| {
        let level = Level::from_number(inputs[0].i32().unwrap_or_default());
        let length = number(&inputs[2]);
        if length != 0 && logger.level() <= level {
            let bytes = guest.range(number(&inputs[1]), length.min(MAX_MESSAGE_BYTES))?;
            logger.log(level, &String::from_utf8_lossy(bytes));
        }
        Ok(())
    })
}

fn log_level(recipe: &Arc<Recipe>) -> Service {
    let logger = recipe.logger.clone();
    Box::new(move |_, _, outputs| {
        outputs[0] = Val::I32(logger.level().number());
        Ok(())
    })
}
