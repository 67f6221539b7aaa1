//! The driver: the module that the runtime calls into. It runs one call after another and
//! enters the runtime only once for all of them, since an entry costs several times what a
//! short call does (a timer thread is woken twice, kernel functions are looked up by name).

use std::fmt::Write;

use wasmparser::ValType;

use super::names::{ENV, GUARD, HOST};
use super::{Types, text};

/// The export that runs calls until the host has no more.
pub const SERVE: &str = "serve";

/// A guest's export that the driver may be told to run.
#[derive(Debug)]
pub struct Entry {
    pub module: String,
    pub export: String,
    pub types: Types,
}

/// The text of a driver for these entries; the host names them by their position. One more does
/// nothing, for calls that want no more than start code.
pub fn write(entries: &[Entry]) -> String {
    let (mut imports, mut wrappers, mut table) = (String::new(), String::new(), String::new());
    for (index, entry) in entries.iter().enumerate() {
        let module = text::quote(&entry.module);
        let export = text::quote(&entry.export);
        let params: String = entry
            .types
            .params
            .iter()
            .map(|ty| format!(" {ty}"))
            .collect();
        let zeros: String = entry
            .types
            .params
            .iter()
            .map(|ty| format!(" ({ty}.const 0)"))
            .collect();
        let results: String = entry
            .types
            .results
            .iter()
            .map(|ty| format!(" {ty}"))
            .collect();
        // One i32 is a code; anything else says nothing.
        let code = match entry.types.results[..] {
            [ValType::I32] => String::new(),
            _ => "(drop) ".repeat(entry.types.results.len()) + "(i32.const 0)",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            imports,
            "(import {module} {export} (func $export{index} (param{params}) (result{results})))"
        );
        let _ = writeln!(
            wrappers,
            "(func $entry{index} (result i32) (call $export{index}{zeros}) {code})"
        );
        let _ = write!(table, " $entry{index}");
    }
    let (env, guard, host) = (text::quote(ENV), text::quote(GUARD), text::quote(HOST));
    format!(
        r#"(module
  (type $entry (func (result i32)))
  (import {env} "output_offset" (func $output_offset (result i64)))
  (import {env} "output_length" (func $output_length (result i64)))
  (import {guard} "begin" (func $begin (param i64) (result i64)))
  (import {guard} "output" (func $output (result i32)))
  (import {host} "next" (func $next (result i32 i64)))
  (import {host} "input" (func $input (param i64)))
  (import {host} "done" (func $done (param i32 i32 i64 i64) (result i32)))
  {imports}
  (table funcref (elem{table} $nothing))
  {wrappers}
  (func $nothing (result i32) (i32.const 0))
  (func $one (result i32)
    (local $entry i32) (local $length i64) (local $code i32)
    (call $next)
    (local.set $length)
    (local.set $entry)
    (if (i32.lt_s (local.get $entry) (i32.const 0))
      (then (return (i32.const 0))))
    (call $input (call $begin (local.get $length)))
    (local.set $code (call_indirect (type $entry) (local.get $entry)))
    ;; Where a stop is on its way, it is waited for: it must not hit anything that comes later.
    (if (call $done
          (local.get $code) (call $output)
          (call $output_offset) (call $output_length))
      (then (loop $wait (br $wait))))
    (i32.const 1))
  (func (export "{SERVE}")
    (loop $again
      (br_if $again (call $one)))))"#
    )
}
