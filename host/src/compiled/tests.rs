//! Each test compiles modules of its own, so that none finds another's in the process.

#[cfg(unix)]
mod child;
mod files;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use super::*;
use crate::engine::{EngineClass, StackClass, engine};
use crate::sync::lock;

/// The bytes of every module that was compiled.
static COMPILATIONS: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

pub(super) fn count_compilation(bytes: &[u8]) {
    lock(&COMPILATIONS).push(bytes.to_vec());
}

fn compilations(bytes: &ModuleBytes) -> usize {
    let all = lock(&COMPILATIONS);
    all.iter()
        .filter(|known| known[..] == *bytes.bytes())
        .count()
}

/// A directory that is gone after the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Relaxed);
        let name = format!("extism-host-test-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// The only file.
    fn file(&self) -> PathBuf {
        let names = self.names();
        assert_eq!(names.len(), 1, "{names:?}");
        self.0.join(&names[0])
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn small() -> &'static Engine {
    let stack = StackClass::Small;
    engine(EngineClass { fuel: false, stack }).unwrap()
}

/// A module that no other test has.
fn module() -> ModuleBytes {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Relaxed);
    let text = format!(r#"(module (func (export "number") (result i32) i32.const {number}))"#);
    ModuleBytes::new(wat::parse_str(text).unwrap())
}

fn compiled(bytes: &ModuleBytes, cache: &Path) -> Arc<CompiledModule> {
    compile(small(), bytes, Some(cache), None).unwrap()
}

#[test]
fn a_module_is_compiled_once_for_the_process() {
    let bytes = module();
    assert!(!is_known(small(), &bytes, None));
    let first = compile(small(), &bytes, None, None).unwrap();
    assert!(is_known(small(), &bytes, None));
    assert_eq!(first.bytes.digest(), bytes.digest());
    let same = ModuleBytes::new(bytes.bytes().to_vec());
    let second = compile(small(), &same, None, None).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(compilations(&bytes), 1);
    drop((first, second));
    assert!(!is_known(small(), &bytes, None));
    compile(small(), &bytes, None, None).unwrap();
    assert_eq!(compilations(&bytes), 2);
}

#[test]
fn engines_share_no_modules() {
    let bytes = module();
    let classes = [(true, StackClass::Small), (false, StackClass::Medium)];
    let _first = compile(small(), &bytes, None, None).unwrap();
    for (fuel, stack) in classes {
        let other = engine(EngineClass { fuel, stack }).unwrap();
        assert!(!is_known(other, &bytes, None));
        let compiled = compile(other, &bytes, None, None).unwrap();
        assert!(wasmtime::Engine::same(
            compiled.module.engine(),
            &other.wasmtime
        ));
    }
}

#[test]
fn threads_that_need_the_same_module_compile_it_once() {
    let bytes = module();
    let barrier = Barrier::new(8);
    let compiled: Vec<_> = thread::scope(|scope| {
        let run = || {
            barrier.wait();
            compile(small(), &bytes, None, None).unwrap()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        results.collect()
    });
    assert_eq!(compilations(&bytes), 1);
    assert!(
        compiled
            .iter()
            .all(|other| Arc::ptr_eq(other, &compiled[0]))
    );
}

#[test]
fn a_module_does_not_wait_for_another_that_is_being_compiled() {
    let [slow, quick] = [module(), module()];
    let key = |bytes: &ModuleBytes| (small().class, *bytes.digest());
    let result = modules::get_or_make(key(&slow), None, || {
        // In the middle of compiling the first.
        assert!(!modules::has(key(&slow)));
        compile(small(), &quick, None, None).unwrap();
        compiler::compile(small(), slow.bytes())?;
        Err(Failure::new(Code::Internal, "on purpose"))
    });
    assert_eq!(result.unwrap().unwrap_err().message, "on purpose");
    // A failure is not kept.
    compile(small(), &slow, None, None).unwrap();
}

#[test]
fn a_module_comes_from_the_cache_once_the_process_no_longer_has_it() {
    let cache = Temporary::new();
    let bytes = module();
    assert!(!is_known(small(), &bytes, Some(&cache.0)));
    drop(compiled(&bytes, &cache.0));
    assert!(is_known(small(), &bytes, Some(&cache.0)));
    assert!(!is_known(small(), &bytes, None));
    let code = fs::read(cache.file()).unwrap();
    drop(compiled(&bytes, &cache.0));
    assert_eq!(compilations(&bytes), 1);
    assert_eq!(fs::read(cache.file()).unwrap(), code);
}

#[test]
fn code_that_counts_instructions_is_another_file_and_a_larger_stack_is_not() {
    let cache = Temporary::new();
    let bytes = module();
    for (fuel, stack, files) in [
        (false, StackClass::Small, 1),
        (false, StackClass::Large, 1),
        (true, StackClass::Small, 2),
    ] {
        let engine = engine(EngineClass { fuel, stack }).unwrap();
        compile(engine, &bytes, Some(&cache.0), None).unwrap();
        assert_eq!(cache.names().len(), files);
    }
    assert_eq!(compilations(&bytes), 2);
}

#[test]
fn an_invalid_module_fails_with_what_is_wrong() {
    let cache = Temporary::new();
    for (text, why) in [
        ("(module (func (result i32)))", "type mismatch"),
        ("(module (memory 1 1 shared))", "threads must be enabled"),
    ] {
        let bytes = ModuleBytes::new(wat::parse_str(text).unwrap());
        let failure = compile(small(), &bytes, Some(&cache.0), None).unwrap_err();
        assert_eq!(failure.code, Code::Module);
        assert!(failure.message.contains(why), "{failure}");
        assert!(!is_known(small(), &bytes, Some(&cache.0)));
    }
    assert_eq!(cache.names(), [""; 0]);
}

#[test]
fn code_compiled_on_one_thread_is_the_engines() {
    let bytes = module();
    let engine = small().single_threaded().unwrap();
    let code = engine.precompile_module(bytes.bytes()).unwrap();
    load(small(), &TrustedCode::compiled(code)).unwrap();
}

#[test]
fn every_feature_but_threads_can_be_compiled() {
    for text in [
        "(module (tag $t) (func (throw $t)) (func (try_table (catch_all 0))))",
        "(module (func $f (return_call $f)))",
        "(module (type (struct (field i32))) (func (drop (struct.new_default 0))))",
        "(module (memory i64 1) (memory 1))",
        "(module (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2))))",
    ] {
        let bytes = ModuleBytes::new(wat::parse_str(text).unwrap());
        compile(small(), &bytes, None, None).unwrap_or_else(|failure| panic!("{text}: {failure}"));
    }
}
