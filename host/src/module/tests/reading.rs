//! What is read, and what is refused as a module.

use super::super::text;
use super::*;
use crate::module_bytes::ModuleBytes;

#[test]
fn refuses_what_is_not_a_module_and_says_why() {
    let component = wat::parse_str("(component)").unwrap();
    let cases: [(&[u8], &str); 7] = [
        (b"", "empty"),
        (b"hello", "neither WebAssembly"),
        (b"\0asm", "unexpected end"),
        (b"\0asm\x01\0\0\0\x01", "unexpected end"),
        (b"(module (func (export \"f\") unknown))", "unknown"),
        (
            b"(module (func (export \"f\") (result i32)))",
            "type mismatch",
        ),
        (&component, "component"),
    ];
    for (bytes, why) in cases {
        let failure = Module::read("main", bytes.to_vec()).unwrap_err();
        assert_eq!(failure.code, Code::Module);
        assert!(failure.message.contains(why), "{}", failure.message);
        assert!(failure.message.contains("\"main\""), "{}", failure.message);
    }
}

#[test]
fn tells_text_from_anything_else() {
    for text in [
        "(module)",
        " \n( module)",
        ";; x\n(module)",
        "(; x ;) (module)",
    ] {
        assert!(text::is_text(text.as_bytes()), "{text}");
    }
    for other in ["", "{}", "module", "(component)", "\0asm"] {
        assert!(!text::is_text(other.as_bytes()), "{other}");
    }
}

#[test]
fn reads_a_text_up_to_a_size() {
    let text = |length: usize| {
        let padding = [b' '].into_iter().cycle();
        "(module)".bytes().chain(padding).take(length)
    };
    assert!(Module::read("main", text(text::MAX_TEXT_BYTES).collect()).is_ok());
    let failure = Module::read("main", text(text::MAX_TEXT_BYTES + 1).collect()).unwrap_err();
    assert_eq!(failure.code, Code::Module);
    assert!(failure.message.contains("a text of"), "{}", failure.message);
}

#[test]
fn keeps_a_binary_as_it_is_and_makes_one_of_a_text() {
    let text = "(module (func (export \"f\")))";
    let binary = wat::parse_str(text).unwrap();
    for bytes in [binary.clone(), text.into()] {
        assert_eq!(
            *Module::read("main", bytes.clone()).unwrap().bytes().bytes(),
            binary
        );
        assert_eq!(
            *Module::read_unless("main", ModuleBytes::new(bytes), |_| true)
                .unwrap()
                .bytes()
                .bytes(),
            binary
        );
    }
}

#[test]
fn validates_no_bodies_of_bytes_that_are_trusted() {
    let bytes =
        br#"(module (import "a" "b" (func $b (param i64))) (memory (export "m") 2) (table 3 funcref)
      (func (export "f") (param i32) (result i32) (i64.const 1)) (data (i32.const 0) "x"))"#;
    assert!(Module::read("main", bytes.to_vec()).is_err());
    let module = Module::read_unless("main", ModuleBytes::new(bytes.to_vec()), |_| true).unwrap();
    let kinds: Vec<_> = module.imports.iter().map(|each| &each.kind).collect();
    assert_eq!(kinds, [&Kind::Function(Types::new(&[ValType::I64], &[]))]);
    let exports = module.exports.iter();
    let exports: Vec<_> = exports.map(|each| each.kind.to_string()).collect();
    assert_eq!(exports, ["memory of 2 or more", "function (i32) -> (i32)"]);
    assert_eq!((module.memories.len(), module.tables.len()), (1, 1));
}

#[test]
fn validates_the_rest_of_bytes_that_are_trusted() {
    for (bytes, why) in [
        (
            &b"(module (import \"a\" \"b\" (memory 1 0)))"[..],
            "size minimum",
        ),
        (b"(module (global i32 (i64.const 0)))", "type mismatch"),
        (
            b"\0asm\x01\0\0\0\x0a\x04\x01\x7f\x00\x00",
            "function section is absent",
        ),
        (b"", "empty"),
    ] {
        let failure =
            Module::read_unless("main", ModuleBytes::new(bytes.to_vec()), |_| true).unwrap_err();
        assert_eq!(failure.code, Code::Module);
        assert!(failure.message.contains(why), "{}", failure.message);
    }
}

#[test]
fn reads_imports_in_their_order_also_where_names_repeat() {
    let module = read(
        "main",
        r#"(module (import "a" "x" (func)) (import "b" "y" (global i32))
          (import "a" "x" (func (param i32))) (import "a" "z" (tag)))"#,
    );
    let imports = module.imports.iter();
    let imports: Vec<_> = imports
        .map(|import| format!("{} {} {}", import.module, import.name, import.kind))
        .collect();
    let expected = [
        "a x function () -> ()",
        "b y global of i32",
        "a x function (i32) -> ()",
        "a z tag",
    ];
    assert_eq!(imports, expected);
}

#[test]
fn accepts_what_is_in_version_3_except_threads() {
    let accepted = [
        // Exceptions.
        r#"(tag $t (param i32)) (func (export "f") (result i32)
          (block $h (result i32) (try_table (result i32) (catch $t $h) (throw $t (i32.const 7)))))"#,
        // Tail calls.
        "(func $f (return_call $f))",
        // Function references and GC.
        "(type $s (struct (field i32))) (type $f (func)) (func (param (ref $s) (ref $f)) (call_ref $f (local.get 1)))",
        // Relaxed SIMD.
        "(func (param v128) (result v128) (i32x4.relaxed_trunc_f32x4_s (local.get 0)))",
        // 64-bit memories, and several of them.
        "(memory i64 1) (memory 1) (func (result i32) (i32.load 1 (i32.const 0)))",
        "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
    ];
    for text in accepted {
        read("main", &format!("(module {text})"));
    }
    let refused = [
        ("(memory 1 1 shared)", "thread"),
        ("(func try catch_all end)", "legacy_exceptions"),
        ("(func try delegate 0)", "legacy_exceptions"),
    ];
    for (text, why) in refused {
        let text = format!("(module {text})");
        let failure = Module::read("main", text.into()).unwrap_err();
        assert_eq!(failure.code, Code::Module);
        assert!(failure.message.contains(why), "{}", failure.message);
    }
}

#[test]
fn shares_the_types_of_many_imports() {
    let params = "i64 ".repeat(1000);
    let import = r#"(import "a" "b" (func (type $t)))"#.repeat(2);
    let module = read(
        "main",
        &format!("(module (type $t (func (param {params}))) {import})"),
    );
    let [Kind::Function(first), Kind::Function(second)] =
        [&module.imports[0].kind, &module.imports[1].kind]
    else {
        panic!("{:?}", module.imports);
    };
    assert!(std::sync::Arc::ptr_eq(&first.params, &second.params));
}
