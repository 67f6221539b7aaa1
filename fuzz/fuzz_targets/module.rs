//! One module: bytes of any kind, generated ones, and generated ones with errors.

#![no_main]

use arbitrary::{Result, Unstructured};
use extism_napi_fuzz::error::Code;
use extism_napi_fuzz::module::{LinkOptions, Module, link};
use extism_napi_fuzz::module_bytes::ModuleBytes;
use extism_napi_fuzz::{binary, check, functions, generate, mutate, read_known};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    match run(&mut Unstructured::new(data)) {
        Ok(()) => Corpus::Keep,
        Err(_) => Corpus::Reject,
    }
});

fn run(u: &mut Unstructured) -> Result<()> {
    let (kind, flags): (u8, u8) = u.arbitrary()?;
    let options = LinkOptions {
        wasi: flags & 1 != 0,
        runs_commands: flags & 4 != 0,
        any_signature: flags & 8 != 0,
        max_pages: if flags & 32 != 0 { 100 } else { u32::MAX },
        max_table_elements: if flags & 64 != 0 { 100 } else { u32::MAX },
    };
    let environment = kind & 4 != 0;
    let bytes = match kind % 4 {
        0 => u.bytes(u.len())?.to_vec(),
        1 => {
            let mut bytes = generate(u, environment)?;
            mutate(u, &mut bytes)?;
            bytes
        }
        _ => generate(u, environment)?,
    };
    let valid = kind % 4 > 1;
    let module = match Module::read("main", bytes.clone()) {
        Ok(module) => module,
        Err(failure) => {
            assert!(!valid, "a valid module is refused: {failure}");
            // What was taken for valid and is not: the bytes of the cache, say.
            let _ = Module::read_unless("main", ModuleBytes::new(bytes), |_| true);
            return Ok(());
        }
    };
    let functions = functions();
    match link(vec![read_known(module)], &functions, &options) {
        Ok(linked) => {
            let originals = [("main".to_owned(), binary(&bytes))];
            check(&originals, &functions, &options, &linked);
        }
        Err(failure) => {
            let limited = flags & 96 != 0 || failure.code == Code::OutOfMemory;
            let provided = valid && environment && options.wasi && !limited;
            assert!(!provided, "what is provided is refused: {failure}");
        }
    }
    Ok(())
}
