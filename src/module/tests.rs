use super::*;
use crate::module::names::{ENVIRONMENT, GUEST, LEGACY, USER};

fn read(name: &str, wat: &str) -> Module {
    Module::read(name, wat.into()).unwrap()
}

fn refused(modules: Vec<Module>, functions: &[Signature]) -> String {
    let failure = link(modules, functions, &Rules::default()).unwrap_err();
    assert_eq!(failure.code, Code::Link);
    failure.message
}

fn host(namespace: Option<&str>, name: &str, params: &[ValType]) -> Signature {
    Signature {
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        types: Some(Types::new(params, &[])),
        lookup: false,
    }
}

#[test]
fn refuses_what_is_not_a_module_and_says_why() {
    let component = wat::parse_str("(component)").unwrap();
    let cases: [(&[u8], &str); 6] = [
        (b"", "empty"),
        (b"hello", "neither WebAssembly"),
        (b"\0asm", "unexpected end"),
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
fn takes_start_code_out_and_runs_it_as_entries_in_order() {
    let library = read(
        "library",
        r#"(module (func $s) (start $s) (func (export "f")))"#,
    );
    let main = read(
        "main",
        r#"(module (import "library" "f" (func $f)) (start $f)
          (func (export "_initialize")) (func (export "run")))"#,
    );
    let blueprint = link(vec![library, main], &[], &Rules::default()).unwrap();
    assert_eq!(blueprint.initializers, 3);
    assert_eq!(blueprint.functions, ["_initialize", "run"]);
    for (name, bytes) in &blueprint.modules {
        let rewritten = Module::read(name, bytes.clone()).unwrap();
        assert!(!rewritten.has_start, "{name}");
        assert!(rewritten.function("_initialize").is_none(), "{name}");
    }
}

#[test]
fn keeps_code_and_custom_sections_as_they_are() {
    let wat = r#"(module $named (import "env" "extism_alloc" (func $a (param i64) (result i64)))
      (memory 1) (data (i32.const 8) "hi")
      (func $f (export "f") (param i32) (result i32) (local.get 0)))"#;
    let blueprint = link(vec![read("main", wat)], &[], &Rules::default()).unwrap();
    let bytes = &blueprint
        .modules
        .iter()
        .find(|(name, _)| name == GUEST)
        .unwrap()
        .1;
    let sections = |bytes: &[u8]| -> Vec<(u8, Vec<u8>)> {
        let payloads = wasmparser::Parser::new(0).parse_all(bytes);
        let sections = payloads.filter_map(|payload| payload.unwrap().as_section());
        sections
            .filter(|(id, _)| ![2, 7].contains(id))
            .map(|(id, range)| (id, bytes[range.start as usize..range.end as usize].to_vec()))
            .collect()
    };
    assert_eq!(sections(bytes), sections(&wat::parse_str(wat).unwrap()));
}

#[test]
fn finds_the_environment_of_either_era() {
    for (name, _, params, results) in ENVIRONMENT {
        let list = |keyword: &str, types: &[ValType]| {
            let names: Vec<_> = types.iter().map(ToString::to_string).collect();
            format!("({keyword} {})", names.join(" "))
        };
        let signature = format!("{} {}", list("param", params), list("result", results));
        for (module, prefix) in [("extism:host/env", ""), ("env", "extism_")] {
            let wat =
                format!(r#"(module (import "{module}" "{prefix}{name}" (func {signature})))"#);
            link(vec![read("main", &wat)], &[], &Rules::default()).unwrap();
        }
        let wrong = format!(r#"(module (import "extism:host/env" "{name}" (func (param f32))))"#);
        assert!(refused(vec![read("main", &wrong)], &[]).contains("the module wants (f32) -> ()"));
    }
}

#[test]
fn gives_guests_nothing_of_the_kernel_that_is_not_theirs() {
    for import in [
        r#"(import "extism:host/env" "memory" (memory 0))"#,
        r#"(import "extism:host/env" "reset" (func))"#,
        r#"(import "extism:host/env" "input_set" (func (param i64 i64)))"#,
        r#"(import "extism:host/env" "extism_context" (global (mut externref)))"#,
        r#"(import "extism-napi:host" "done" (func (param i32 i32 i64 i64 i64)))"#,
        r#"(import "extism-napi:guard" "begin" (func (param i64) (result i64)))"#,
        r#"(import "env" "extism_reset" (func))"#,
        r#"(import "extism:host/env" "alloc" (global i64))"#,
    ] {
        let message = refused(vec![read("main", &format!("(module {import})"))], &[]);
        assert!(message.starts_with("from module \"main\": "), "{message}");
    }
}

#[test]
fn matches_host_functions_by_namespace_name_and_type() {
    let wants = |module: &str| {
        let wat = format!(r#"(module (import "{module}" "f" (func (param i64))))"#);
        vec![read("main", &wat)]
    };
    let i64 = [ValType::I64];
    for module in [USER, LEGACY] {
        let blueprint = link(wants(module), &[host(None, "f", &i64)], &Rules::default()).unwrap();
        let [used] = &blueprint.host_functions[..] else {
            panic!("{:?}", blueprint.host_functions);
        };
        assert_eq!(used.function, 0);
    }
    let named = host(Some("mine"), "f", &i64);
    assert!(link(wants("mine"), &[named], &Rules::default()).is_ok());
    assert!(
        refused(wants("other"), &[host(Some("mine"), "f", &i64)])
            .contains("not provided by host imports nor linked manifest items")
    );
    assert!(
        refused(wants(USER), &[host(None, "f", &[])])
            .contains("the module wants (i64) -> (), the host has () -> ()")
    );
}

#[test]
fn refuses_circles_reserved_names_and_missing_exports() {
    let import = |name: &str, from: &str| {
        read(
            name,
            &format!(r#"(module (import "{from}" "f" (func)) (func (export "f")))"#),
        )
    };
    assert!(
        refused(
            vec![import("a", "b"), import("b", "a"), import("main", "a")],
            &[]
        )
        .ends_with(r#"from module "main"/"a"/"b": cannot import "a" "f"; circular imports of type="function" are not supported"#)
    );
    assert!(refused(vec![import("main", "main")], &[]).contains("circular"));
    for name in [
        "extism:host/user",
        "extism:host/env",
        "env",
        "wasi_snapshot_preview1",
        "extism-napi:guard",
    ] {
        assert!(
            refused(vec![read(name, "(module)"), read("main", "(module)")], &[]).contains(name)
        );
    }
    assert!(
        refused(
            vec![
                read("a", "(module)"),
                read("a", "(module)"),
                read("main", "(module)")
            ],
            &[]
        )
        .contains("two modules")
    );
    assert!(
        refused(vec![read("a", "(module)"), import("main", "a")], &[])
            .contains("no export matched request")
    );
    let wasi = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"#;
    assert!(refused(vec![read("main", wasi)], &[]).contains("WASI"));
    let reserved = r#"(module (func (export "extism-napi:start")))"#;
    assert!(refused(vec![read("main", reserved)], &[]).contains("reserved"));
}

#[test]
fn names_of_any_characters_reach_the_runtime() {
    let wat = r#"(module (func (export "a \"quoted\" \\ \u{1F600} name")))"#;
    let blueprint = link(vec![read("main", wat)], &[], &Rules::default()).unwrap();
    assert_eq!(blueprint.functions, ["a \"quoted\" \\ 😀 name"]);
}

#[test]
fn a_text_is_read_up_to_a_size() {
    let text = |length: usize| {
        "(module)"
            .bytes()
            .chain([b' '].into_iter().cycle())
            .take(length)
    };
    assert!(Module::read("main", text(MAX_TEXT_BYTES).collect()).is_ok());
    let failure = Module::read("main", text(MAX_TEXT_BYTES + 1).collect()).unwrap_err();
    assert_eq!(failure.code, Code::Module);
    assert!(failure.message.contains("a text of"), "{}", failure.message);
}

#[test]
fn functions_of_wasi_that_are_replaced_have_their_types() {
    let rules = Rules {
        wasi: true,
        ..Rules::default()
    };
    let four = "i32 i32 i32 i32";
    for (name, params) in [
        ("poll_oneoff", four),
        ("fd_write", four),
        ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"),
        ("fd_close", "i32"),
        ("fd_renumber", "i32 i32"),
    ] {
        for (types, fits) in [
            (&*format!("(param {params}) (result i32)"), true),
            (&*format!("(param i64 {params}) (result i32)"), false),
            (&*format!("(param {params})"), false),
        ] {
            for memory in ["(memory 1)", "(memory i64 1)", ""] {
                let import =
                    format!(r#"(import "wasi_snapshot_preview1" "{name}" (func {types}))"#);
                let module = read("main", &format!("(module {import} {memory})"));
                let linked = link(vec![module], &[], &rules);
                assert_eq!(linked.is_ok(), fits, "{name} {types} {memory}");
            }
        }
    }
}
