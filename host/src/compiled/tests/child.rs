//! Scripts of a shell stand for the child; what the real one does, the tests in Node.js show.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::*;

/// A child that runs this script.
fn limits(script: &str, directory: &Temporary) -> CompileLimits {
    let path = directory.0.join("script");
    fs::write(&path, script).unwrap();
    let temporary = directory.0.join("temporary");
    let _ = fs::create_dir(&temporary);
    CompileLimits {
        timeout: None,
        memory_bytes: None,
        command: ChildCommand {
            program: "/bin/sh".into(),
            script: path,
            environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
            temporary,
        },
    }
}

fn failure_of(limits: &CompileLimits, bytes: &ModuleBytes) -> Failure {
    let compiler = ChildCompiler::new(limits, &|| true);
    let failure = compile(small(), bytes, None, Some(&compiler)).unwrap_err();
    let left = fs::read_dir(&limits.command.temporary).map_or(0, Iterator::count);
    assert_eq!(left, 0, "{failure}");
    failure
}

#[test]
fn how_a_child_ends_says_what_the_failure_is() {
    for (script, code, message) in [
        (
            "printf 'ERR_EXTISM_MODULE\\nwhy\\nand where'; exit 1",
            Code::Module,
            "why\nand where",
        ),
        (
            "printf 'ERR_EXTISM_COMPILE_LIMIT\\n'",
            Code::CompileLimit,
            "maxCompileMemoryBytes",
        ),
        (
            "printf 'ERR_EXTISM_GUEST\\nno'; exit 3",
            Code::CompileProcess,
            "exit status: 3",
        ),
        ("kill -KILL $$", Code::CompileProcess, "signal: 9"),
        ("exit 0", Code::CompileProcess, "no compiled code"),
    ] {
        let directory = Temporary::new();
        let failure = failure_of(&limits(script, &directory), &module());
        assert_eq!(failure.code, code, "{failure}");
        assert!(failure.message.contains(message), "{failure}");
    }
}

#[test]
fn a_child_gets_the_module_its_limits_and_a_private_directory_and_nothing_else() {
    let directory = Temporary::new();
    let report = directory.0.join("report");
    let script = format!(
        "{{ env | grep -v -e ^PWD -e ^SHLVL -e ^_ -e ^OLDPWD; echo $1 $2 [$3] $4 $#; ls -ld $5 | cut -c1-10; head -c $1 | wc -c; }} > {}",
        report.display()
    );
    let bytes = module();
    let mut limits = limits(&script, &directory);
    limits.memory_bytes = Some(5000);
    failure_of(&limits, &bytes);
    let length = bytes.bytes().len();
    let lines = format!("PATH=/usr/bin:/bin\n{length} 5000 [] 1048576 5\ndrwx------\n{length}\n");
    assert_eq!(fs::read_to_string(report).unwrap(), lines);
}

#[test]
fn a_child_is_killed_when_its_time_is_over_whether_or_not_it_reads() {
    let directory = Temporary::new();
    let mut limits = limits("exec sleep 1000", &directory);
    limits.timeout = Some(Duration::from_millis(20));
    // More than a pipe holds.
    let data = "x".repeat(1 << 20);
    let large = format!(r#"(module (memory 16) (data (i32.const 0) "{data}"))"#);
    let large = ModuleBytes::new(wat::parse_str(large).unwrap());
    for bytes in [module(), large] {
        let failure = failure_of(&limits, &bytes);
        assert_eq!(failure.code, Code::CompileLimit);
        assert!(
            failure.message.contains("20 ms (compileTimeoutMs)"),
            "{failure}"
        );
    }
}

#[test]
fn a_child_is_killed_when_nobody_needs_the_code() {
    let directory = Temporary::new();
    let begun = directory.0.join("begun");
    let script = format!("touch {}; exec sleep 1000", begun.display());
    let limits = limits(&script, &directory);
    let is_needed = || !begun.exists();
    let compiler = ChildCompiler::new(&limits, &is_needed);
    let failure = compile(small(), &module(), None, Some(&compiler)).unwrap_err();
    assert_eq!(failure.code, Code::Closed);
}

#[test]
fn time_is_over_as_well_while_another_thread_compiles_the_module() {
    let directory = Temporary::new();
    let [mut short, long] = [
        limits("exec sleep 1000", &directory),
        limits("exec sleep 1000", &directory),
    ];
    short.timeout = Some(Duration::from_millis(20));
    let bytes = module();
    let (begun, over) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let is_needed = || {
                begun.store(true, Relaxed);
                !over.load(Relaxed)
            };
            let compiler = ChildCompiler::new(&long, &is_needed);
            compile(small(), &bytes, None, Some(&compiler)).unwrap_err()
        });
        while !begun.load(Relaxed) {
            thread::yield_now();
        }
        let compiler = ChildCompiler::new(&short, &|| true);
        let failure = compile(small(), &bytes, None, Some(&compiler)).unwrap_err();
        over.store(true, Relaxed);
        assert_eq!(failure.code, Code::CompileLimit);
    });
}

#[test]
fn a_child_that_cannot_be_started_and_a_missing_directory_are_failures() {
    let directory = Temporary::new();
    let mut limits = limits("", &directory);
    limits.command.program = directory.0.join("missing");
    assert_eq!(failure_of(&limits, &module()).code, Code::CompileProcess);
    limits.command.temporary = directory.0.join("missing");
    let failure = failure_of(&limits, &module());
    assert_eq!(failure.code, Code::CompileProcess);
    assert!(failure.message.contains("no directory"), "{failure}");
}

#[test]
fn what_is_compiled_for_another_process_is_in_the_first_directory_that_takes_it() {
    let [cache, scratch] = [Temporary::new(), Temporary::new()];
    let bytes = module();
    let file = cache.0.join("file");
    fs::write(&file, "").unwrap();
    let class = small().class;
    let into = |directories: &[PathBuf]| compile_into(class, bytes.bytes().to_vec(), directories);
    into(&[file.join("below"), scratch.0.clone(), cache.0.clone()]).unwrap();
    assert!(is_known(small(), &bytes, Some(&scratch.0)));
    assert!(!is_known(small(), &bytes, Some(&cache.0)));
    let failure = into(&[file.join("below")]).unwrap_err();
    assert_eq!(failure.code, Code::CompileProcess);
    // A child is not needed for what is there.
    let limits = limits("exit 1", &cache);
    let compiler = ChildCompiler::new(&limits, &|| true);
    compile(small(), &bytes, Some(&scratch.0), Some(&compiler)).unwrap();
}
