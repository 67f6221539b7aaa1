//! The floor for calls: what one costs in the runtime itself, `extism::Plugin::call` in a loop.
//!
//! `floor run MODULE FUNCTION BYTES` makes a plugin, and then takes a number of calls from each
//! line of the standard input, makes them with an input of that many bytes, and prints
//! `{"calls":1000,"ns":20000000,"output":91}`; `output` is the length of the last one.
//!
//! `floor compile MODULE` compiles a module for a plugin, without a cache, and prints
//! `{"ns":1400000000}`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program, which prints figures or ends"
)]

use std::collections::HashMap;
use std::io::stdin;
use std::time::Instant;

use extism::{
    CompiledPlugin, Error, Manifest, PTR, Plugin, PluginBuilder, UserData, Wasm, host_fn,
};

const MESSAGES: [(&str, &str); 2] = [
    ("hello", "👋 Hello World 🌍"),
    ("message", "I 💜 Extism 😍"),
];

host_fn!(host_memory_get(messages: HashMap<&'static str, &'static str>; key: String) -> String {
    let messages = messages.get()?;
    let messages = messages.lock().unwrap();
    Ok(messages.get(key.as_str()).copied().unwrap_or_default().to_owned())
});

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["run", module, function, bytes] => run(module, function, bytes.parse()?),
        ["compile", module] => compile(module),
        _ => Err(Error::msg(
            "usage: floor run MODULE FUNCTION BYTES | floor compile MODULE",
        )),
    }
}

fn run(module: &str, function: &str, bytes: usize) -> Result<(), Error> {
    let mut plugin = plugin(module)?;
    let input: Vec<u8> = b"Jane Doe".iter().copied().cycle().take(bytes).collect();
    for line in stdin().lines() {
        let calls: u64 = line?.parse()?;
        let mut output = Vec::new();
        let start = Instant::now();
        for _ in 0..calls {
            output = plugin.call::<_, Vec<u8>>(function, &input)?;
        }
        let ns = start.elapsed().as_nanos();
        let length = output.len();
        println!(r#"{{"calls":{calls},"ns":{ns},"output":{length}}}"#);
    }
    Ok(())
}

fn compile(module: &str) -> Result<(), Error> {
    let builder = builder(wat::parse_file(module)?);
    let start = Instant::now();
    let _compiled = CompiledPlugin::new(builder)?;
    let ns = start.elapsed().as_nanos();
    println!(r#"{{"ns":{ns}}}"#);
    Ok(())
}

fn plugin(module: &str) -> Result<Plugin, Error> {
    builder(wat::parse_file(module)?).build()
}

fn builder(module: Vec<u8>) -> PluginBuilder<'static> {
    PluginBuilder::new(Manifest::new([Wasm::data(module)]))
        .with_wasi(true)
        .with_function_in_namespace(
            "extism:host/user",
            "hostMemoryGet",
            [PTR],
            [PTR],
            UserData::new(HashMap::from(MESSAGES)),
            host_memory_get,
        )
        .with_cache_disabled()
}
