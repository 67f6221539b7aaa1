//! What host functions are given, may ask and may give.

use extism_host::error::{Code, Failure};
use extism_host::host_call::{HostCall, Reply, Request, Return};
use wasmparser::ValType::I64;

use crate::common::source::{HOST, embedded, guest_with, rust, source};
use crate::common::{Plugin, gives};

/// Gives the host function its input in a block of its own, and what that gives as its output.
const PASS: &str = r#"
  (func (export "pass") (local $key i64) (local $i i64)
    (local.set $key (call $alloc (call $input_length)))
    (if (i64.ne (local.get $key) (i64.const 0)) (then (loop $l
      (call $store_u8 (i64.add (local.get $key) (local.get $i)) (call $input_load_u8 (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $l (i64.lt_u (local.get $i) (call $input_length))))))
    (call $give (call $host (local.get $key))))
  ;; Passes on what is in the first eight bytes of the input.
  (func (export "forge") (call $give (call $host (call $input_load_u64 (i64.const 0)))))
  ;; The key is the plugin's until the call ends, or it frees it.
  (func (export "keeps") (result i32) (local $key i64)
    (local.set $key (call $char (i32.const 0x6b)))
    (drop (call $host (local.get $key)))
    (i64.ne (call $length (local.get $key)) (i64.const 1)))"#;

fn plugin(answer: impl FnMut(&HostCall) -> Option<Return> + 'static) -> Plugin {
    let mut source = source(&guest_with(HOST, PASS));
    source.functions = vec![embedded("host")];
    let mut plugin = Plugin::open(source);
    let mut answer = answer;
    plugin.host.answer = Box::new(move |call| answer(call));
    plugin
}

fn number(reply: Result<Reply, Failure>) -> u64 {
    match reply.unwrap() {
        Reply::Number(number) => number,
        Reply::Bytes(_) => panic!("bytes"),
    }
}

fn bytes(reply: Result<Reply, Failure>) -> Option<Vec<u8>> {
    match reply.unwrap() {
        Reply::Bytes(bytes) => bytes,
        Reply::Number(_) => panic!("a number"),
    }
}

#[test]
fn a_host_function_reads_its_key_and_gives_a_value() {
    let mut plugin = plugin(|call| {
        let key = call.blocks[0].clone().unwrap();
        let value = call.ask(Request::Store([&key[..], b"!"].concat()));
        gives(number(value) as i64)
    });
    assert_eq!(plugin.text("pass", "key"), "key!");
    assert_eq!(plugin.number("keeps"), 0);
}

#[test]
fn small_blocks_come_with_the_call_and_large_ones_are_asked_for() {
    let mut plugin = plugin(|call| {
        let offset = call.inputs[0].unwrap_i64() as u64;
        let length = number(call.ask(Request::Length(offset)));
        assert_eq!(call.blocks[0].is_some(), length <= 16 << 10);
        let read = bytes(call.ask(Request::Read(offset))).unwrap();
        assert_eq!(read.len() as u64, length);
        assert!(call.blocks[0].as_ref().is_none_or(|block| *block == read));
        gives(number(call.ask(Request::Store(read))) as i64)
    });
    for length in [1, 100, 16 << 10, (16 << 10) + 1, 1 << 20] {
        let input: Vec<_> = (0..length).map(|i| i as u8).collect();
        assert_eq!(plugin.output("pass", &input), input);
    }
}

#[test]
fn a_host_function_makes_writes_and_frees_blocks() {
    let mut plugin = plugin(|call| {
        let block = number(call.ask(Request::Alloc(8)));
        number(call.ask(Request::Write(block, b"12345678".to_vec())));
        number(call.ask(Request::Write(block, b"ab".to_vec())));
        assert_eq!(bytes(call.ask(Request::Read(block))).unwrap(), b"ab345678");
        let other = number(call.ask(Request::Alloc(3)));
        number(call.ask(Request::Free(other)));
        assert_eq!(number(call.ask(Request::Length(other))), 0);
        assert_eq!(bytes(call.ask(Request::Read(other))), None);
        // What does not fit is refused, and changes nothing.
        let refused = call
            .ask(Request::Write(block, vec![0; 9]))
            .map(drop)
            .unwrap_err();
        assert_eq!(refused.code, Code::Memory);
        assert_eq!(number(call.ask(Request::Alloc(0))), 0);
        let refused = call.ask(Request::Alloc(u64::MAX)).map(drop).unwrap_err();
        assert_eq!(refused.code, Code::OutOfMemory);
        gives(block as i64)
    });
    assert_eq!(plugin.text("pass", "x"), "ab345678");
}

#[test]
fn changed_blocks_are_written_back_when_a_host_function_returns() {
    let mut plugin = plugin(|call| {
        let key = call.inputs[0];
        let start = key.unwrap_i64() as u64;
        Some(Return::Values(vec![key], vec![(start, b"KEY".to_vec())]))
    });
    assert_eq!(plugin.text("pass", "key of nine"), "KEY of nine");
}

#[test]
fn numbers_that_are_no_blocks_are_nothing_to_a_host_function() {
    let mut plugin = plugin(|call| {
        let offset = call.inputs[0].unwrap_i64() as u64;
        assert!(call.blocks[0].is_none());
        assert_eq!(bytes(call.ask(Request::Read(offset))), None);
        assert_eq!(number(call.ask(Request::Length(offset))), 0);
        number(call.ask(Request::Free(offset)));
        number(call.ask(Request::Write(offset, b"12345678".to_vec())));
        gives(offset as i64)
    });
    for forged in [
        0u64,
        1,
        8,
        63,
        65,
        1 << 16,
        1 << 32,
        (1 << 32) + 64,
        u64::MAX,
        1 << 63,
    ] {
        assert_eq!(
            plugin.output("forge", &forged.to_le_bytes()),
            b"",
            "{forged}"
        );
    }
}

#[test]
fn a_host_function_that_fails_ends_the_call_and_names_itself() {
    let mut plugin = plugin(|_| {
        let failure = Failure::new(Code::HostFunction, "no such thing").caused_by(7);
        Some(Return::Failed(failure))
    });
    let failure = plugin.failure("pass");
    assert_eq!(failure.code, Code::HostFunction);
    assert_eq!(failure.message, "host function \"host\": no such thing");
    assert_eq!(
        (failure.cause, failure.function.as_deref()),
        (Some(7), Some("pass"))
    );
}

#[test]
fn a_host_function_that_sets_no_result_gives_0() {
    let mut source = source(&guest_with(HOST, PASS));
    source.functions = vec![rust("host", &[I64], &[I64], |_, _, _| Ok(()))];
    assert_eq!(Plugin::open(source).output("pass", b"x"), b"");
    let mut plugin = plugin(|_| Some(Return::Values(Vec::new(), Vec::new())));
    assert_eq!(plugin.output("pass", b"x"), b"");
}

#[test]
fn a_host_function_sets_the_guests_error() {
    let mut plugin = plugin(|call| {
        number(call.ask(Request::Fail("refused by the host".to_owned())));
        gives(0)
    });
    let failure = plugin.failure("pass");
    assert_eq!(
        (failure.code, &*failure.message),
        (Code::Guest, "refused by the host")
    );
}

#[test]
fn a_host_function_that_has_returned_asks_nobody() {
    let mut plugin = plugin(|_| None);
    let id = plugin.submit("pass", b"x");
    let host_call = plugin.host.host_call();
    assert!(host_call.finish(gives(0).unwrap()));
    assert!(!host_call.finish(gives(0).unwrap()));
    assert_eq!(
        host_call.ask(Request::Alloc(1)).map(drop).unwrap_err().code,
        Code::Stale
    );
    assert_eq!(plugin.wait(id).unwrap().unwrap(), b"");
    assert_eq!(
        host_call.ask(Request::Alloc(1)).map(drop).unwrap_err().code,
        Code::Stale
    );
}

#[test]
fn a_panic_in_rust_fails_one_call() {
    let mut source = source(&guest_with(HOST, PASS));
    source.functions = vec![rust("host", &[I64], &[I64], |caller, inputs, outputs| {
        let key = caller.get::<&[u8]>(Some(&inputs[0]))?.to_vec();
        assert_ne!(key, b"panic", "on purpose");
        outputs[0] = caller.put(&key[..])?;
        Ok(())
    })];
    let mut plugin = Plugin::open(source);
    for _ in 0..3 {
        assert_eq!(plugin.text("pass", "fine"), "fine");
        let failure = plugin.call("pass", b"panic").unwrap_err();
        assert_eq!(failure.code, Code::Internal);
        assert!(failure.message.contains("on purpose"), "{failure}");
    }
}
