//! What the driver and the guard ask of the host, and the host functions of users.

use std::sync::Arc;

use extism::{CurrentPlugin, Function, UserData, Val, ValType};

use super::services::*;
use super::{Begun, Recipe, Slot, Source};
use crate::bytes;
use crate::error::{Code, Failure};
use crate::faults;
use crate::host_function::{Guest, HostFunction};
use crate::module::{FUNCTION, HOST, Types};
use crate::threads::contain;

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
        host(
            "print",
            &[ValType::I32, PTR, PTR],
            &[ValType::I32],
            print(recipe),
        ),
        host("fetch", &[PTR, PTR], &[], Box::new(fetch)),
        host("refuse", &[ValType::I32, PTR, PTR], &[], Box::new(refuse)),
        host("limited", &[PTR], &[], limited(recipe)),
        host("freed", &[PTR], &[], Box::new(freed)),
        host("log", &[ValType::I32, PTR, PTR], &[], log(recipe)),
        host("get_log_level", &[], &[ValType::I32], log_level(recipe)),
        host("config_get", &[PTR, PTR], &[PTR], config_get(recipe)),
        host("var_get", &[PTR, PTR], &[PTR], Box::new(var_get)),
        host("var_set", &[PTR, PTR, PTR, PTR], &[], var_set(recipe)),
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
            name, types, body, ..
        } = user.clone();
        let Types { params, results } = types.unwrap_or_default();
        let params = match body.is_lookup() {
            true => vec![PTR, PTR],
            false => params.iter().map(to_extism).collect(),
        };
        let results: Vec<_> = results.iter().map(to_extism).collect();
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

pub type Service =
    Box<dyn Fn(&mut Guest<'_>, &[Val], &mut [Val]) -> Result<(), Failure> + Send + Sync>;

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
            let result = contain(|| service(&mut Guest::new(plugin, &slot), inputs, outputs));
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

/// The numeric types are the only ones that host functions have.
fn to_extism(ty: &wasmparser::ValType) -> ValType {
    match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        _ => ValType::I64,
    }
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

pub fn number(value: &Val) -> u64 {
    value.i64().unwrap_or_default() as u64
}

/// Which entry the driver is to run now, and the length of its input; -1 for none.
fn next(recipe: &Arc<Recipe>, slot: &Arc<Slot>, source: &Arc<dyn Source>) -> Service {
    let initializers = recipe.blueprint.initializers;
    let (slot, source) = (slot.clone(), source.clone());
    Box::new(move |_, _, outputs| {
        let begun = || match slot.take_held() {
            Some(call) => slot.begin(call, true).map_or_else(
                |call| {
                    slot.hold(call);
                    Begun::Refused
                },
                |()| Begun::Call,
            ),
            None => source.begin_next(&slot),
        };
        if slot.is_free() && begun() == Begun::Refused {
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
        faults::point("done");
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
            None if code != 0 && recipe.codes_are_errors => Err(Failure::new(
                Code::Exit,
                format!("the plugin returned {code}"),
            )
            .with_exit_code(code)),
            None if inputs[1].i32() == Some(0) => Ok(None),
            None => output(&recipe, guest, number(&inputs[2]), number(&inputs[3])).map(Some),
        };
        // A call that is being stopped is settled where the stop arrives.
        let Some((call, ran)) = guest.slot.finish() else {
            outputs[0] = Val::I32(1);
            return Ok(());
        };
        let function = call.function;
        recipe.settle(&*source, call, ran, outcome);
        if blueprint.commands.contains(&function) {
            return Err(Failure::new(Code::Internal, "a command runs once"));
        }
        Ok(())
    })
}

/// A copy of the output. A failure is the call's own: the guest goes on.
fn output(
    recipe: &Recipe,
    guest: &mut Guest<'_>,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, Failure> {
    recipe.limits.output(length)?;
    bytes::copy(guest.range(offset, length)?)
}
