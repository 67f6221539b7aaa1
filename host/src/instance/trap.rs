//! Why a guest could not go on, and where it was.

use std::fmt::{self, Write};

use wasmtime::{FrameInfo, Trap, WasmBacktrace};

use crate::error::{Code, Failure, MAX_MESSAGE_BYTES};
use crate::wasi::Exit;

/// What a call fails with that ended in this error.
pub fn failure(error: &wasmtime::Error) -> Failure {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.clone();
    }
    if let Some(Exit(code)) = error.downcast_ref::<Exit>() {
        let message = format!("the plugin exited with {code}");
        return Failure::new(Code::Exit, message).with_exit_code(*code);
    }
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::OutOfFuel) {
        return Failure::new(Code::Fuel, "the call used up its fuel");
    }
    if has_no_room(error) {
        return Failure::new(Code::OutOfMemory, "the plugin reached its memory limit");
    }
    let message = trap.map_or_else(|| error.root_cause().to_string(), ToString::to_string);
    let mut failure = Failure::new(Code::Trap, message);
    failure.backtrace = error.downcast_ref::<WasmBacktrace>().map(backtrace);
    failure
}

/// Whether an error of an instantiation comes from code of the guest.
pub fn is_from_guest(error: &wasmtime::Error) -> bool {
    let trace = error.downcast_ref::<WasmBacktrace>();
    error.is::<Failure>()
        || error.is::<Exit>()
        || error.downcast_ref::<Trap>() == Some(&Trap::OutOfFuel)
        // The initial value of a global has no frame.
        || has_no_room(error)
        || trace.is_some_and(|trace| !trace.frames().is_empty())
}

/// Whether there is no memory for an object of the garbage collector.
fn has_no_room(error: &wasmtime::Error) -> bool {
    let cause = error.root_cause().to_string();
    cause.starts_with("GC heap out of memory")
        || error.downcast_ref::<Trap>() == Some(&Trap::AllocationTooLarge)
}

/// A line for each frame. The runtime has one of its own, which may have no end: to demangle a name
/// can take a gigabyte, and names are the guest's.
fn backtrace(trace: &WasmBacktrace) -> String {
    let mut text = Cut(String::new());
    for (number, frame) in trace.frames().iter().enumerate() {
        if line(&mut text, number, frame).is_err() {
            break;
        }
    }
    text.0
}

fn line(text: &mut Cut, number: usize, frame: &FrameInfo) -> fmt::Result {
    let offset = frame.module_offset().unwrap_or_default();
    let module = frame.module().name().unwrap_or("<unknown>");
    write!(text, "{number:>3}: {offset:#8x} - {module}!")?;
    match frame.func_name() {
        Some(name) => writeln!(text, "{:#}", rustc_demangle::demangle(name))?,
        None => writeln!(text, "<wasm function {}>", frame.func_index())?,
    }
    for symbol in frame.symbols() {
        if let Some(file) = symbol.file() {
            let (line, column) = (symbol.line().unwrap_or(0), symbol.column().unwrap_or(0));
            writeln!(text, "                at {file}:{line}:{column}")?;
        }
    }
    Ok(())
}

/// A text that becomes no longer than messages are.
struct Cut(String);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_MESSAGE_BYTES - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        match text.len() > room {
            true => Err(fmt::Error),
            false => Ok(()),
        }
    }
}
