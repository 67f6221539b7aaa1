//! A store, and what it should do.

#![no_main]

use extism_napi_fuzz::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: Script| script.run());
