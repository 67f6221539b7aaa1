//! Why a guest could not go on, and where it was, in the words of the runtime.

use std::fmt::{self, Write};

use wasmtime::{FrameInfo, Trap, WasmBacktrace};

use crate::error::{Code, Failure, MAX_MESSAGE_BYTES};

/// Whether a guest broke off because the runtime stopped it, in the runtime's own words.
pub fn is_interrupt(error: &extism::Error) -> bool {
    error.root_cause().to_string() == "timeout"
}

/// What the runtime says of a guest that could not go on.
pub fn failure(error: &extism::Error, code: i32) -> Failure {
    let cause = error.root_cause().to_string();
    if cause == "oom" || cause.starts_with("GC heap out of memory") {
        return Failure::new(Code::OutOfMemory, "the plugin reached its memory limit");
    }
    if cause == "plugin ran out of fuel" {
        return Failure::new(Code::Fuel, "the call used up its fuel");
    }
    if cause.starts_with("Exited with i32 exit status") {
        return Failure::new(Code::Exit, format!("the plugin exited with {code}"))
            .with_exit_code(code);
    }
    let trap = error
        .downcast_ref::<Trap>()
        .map_or(cause, ToString::to_string);
    let mut failure = Failure::new(Code::Trap, trap);
    failure.backtrace = error.downcast_ref::<WasmBacktrace>().map(backtrace);
    failure
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
        Some(name) => writeln!(text, "{:#}", rustc_demangle::demangle(name)),
        None => writeln!(text, "<wasm function {}>", frame.func_index()),
    }
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
