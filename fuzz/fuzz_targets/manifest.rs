//! Several modules, host functions and options.

#![no_main]

use extism_napi_fuzz::module::{Module, link};
use extism_napi_fuzz::{Manifest, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|manifest: Manifest| {
    let mut originals = manifest.modules();
    let modules = originals.iter();
    let modules: Result<Vec<_>, _> = modules
        .map(|(name, bytes)| Module::read(name, bytes.clone()))
        .collect();
    let Ok(modules) = modules else {
        return;
    };
    let (functions, options) = (manifest.functions(), manifest.options());
    let Ok(linked) = link(modules, &functions, &options) else {
        return;
    };
    if !originals.iter().any(|(name, _)| name == "main") {
        originals.last_mut().unwrap().0 = "main".to_owned();
    }
    for (index, (name, _)) in originals.iter().enumerate() {
        let is_reserved = name.starts_with("extism:") && name != "extism:host/user";
        assert!(!is_reserved && !name.starts_with("wasi"));
        assert!(originals[..index].iter().all(|(other, _)| other != name));
    }
    check(&originals, &functions, &options, &linked);
});
