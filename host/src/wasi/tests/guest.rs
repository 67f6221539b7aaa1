//! A guest that calls functions of WASI, and directories for it.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use wasmtime::{Engine, Linker, Memory, Module, Store, Val, ValType};

use crate::wasi::{HOSTCALL_FUEL, Wasi, WasiOptions, WasiView, add_to_linker};

const FUNCTIONS: [(&str, &str); 20] = [
    ("args_sizes_get", "i32 i32"),
    ("clock_time_get", "i32 i64 i32"),
    ("environ_sizes_get", "i32 i32"),
    ("fd_close", "i32"),
    ("fd_fdstat_get", "i32 i32"),
    ("fd_filestat_set_size", "i32 i64"),
    ("fd_pread", "i32 i32 i32 i64 i32"),
    ("fd_pwrite", "i32 i32 i32 i64 i32"),
    ("fd_read", "i32 i32 i32 i32"),
    ("fd_readdir", "i32 i32 i32 i64 i32"),
    ("fd_renumber", "i32 i32"),
    ("fd_seek", "i32 i64 i32 i32"),
    ("fd_write", "i32 i32 i32 i32"),
    ("path_filestat_set_times", "i32 i32 i32 i32 i64 i64 i32"),
    ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"),
    ("path_symlink", "i32 i32 i32 i32 i32"),
    ("path_unlink_file", "i32 i32 i32"),
    ("poll_oneoff", "i32 i32 i32 i32"),
    ("random_get", "i32 i32"),
    ("sock_accept", "i32 i32 i32"),
];

/// Flags and rights of `path_open`.
pub const CREATE: i64 = 1;
pub const DIRECTORY: i64 = 2;
pub const EXCLUSIVE: i64 = 4;
pub const TRUNCATE: i64 = 8;
pub const READ: i64 = 2;
pub const WRITE: i64 = 64;

/// Addresses of the opened descriptor and of the path.
const OPENED: usize = 1024;
const PATH: usize = 2048;

pub struct Data(Wasi);

impl WasiView for Data {
    fn wasi(&mut self) -> &mut Wasi {
        &mut self.0
    }
}

pub struct Guest {
    store: Store<Data>,
    instance: wasmtime::Instance,
    memory: Option<Memory>,
}

impl Guest {
    pub fn new(options: &WasiOptions) -> Self {
        let import = |(name, types): &(&str, &str)| {
            format!(
                r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} (param {types}) (result i32)))"#
            )
        };
        let export = |(name, types): &(&str, &str)| {
            let count = types.split(' ').count();
            let inputs: String = (0..count).map(|i| format!("(local.get {i})")).collect();
            format!(
                r#"(func (export "{name}") (param {types}) (result i32) (call ${name} {inputs}))"#
            )
        };
        let imports: String = FUNCTIONS.iter().map(import).collect();
        let exports: String = FUNCTIONS.iter().map(export).collect();
        let text = format!(
            r#"(module {imports}
                (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (memory (export "memory") 400)
                {exports}
                (func (export "proc_exit") (param i32) (result i32) (call $exit (local.get 0)) (i32.const 0)))"#
        );
        Self::of(&text, options)
    }

    pub fn of(text: &str, options: &WasiOptions) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, text).unwrap();
        let mut linker = Linker::new(&engine);
        add_to_linker(&mut linker).unwrap();
        let mut store = Store::new(&engine, Data(Wasi::new(options).unwrap()));
        store.set_hostcall_fuel(HOSTCALL_FUEL);
        // Instantiating does not wait for anything.
        let instantiating = linker.instantiate_async(&mut store, &module);
        let instance = wiggle::run_in_dummy_executor(instantiating)
            .unwrap()
            .unwrap();
        let memory = instance.get_memory(&mut store, "memory");
        Self {
            store,
            instance,
            memory,
        }
    }

    pub async fn call(&mut self, name: &str, inputs: &[i64]) -> wasmtime::Result<i32> {
        let function = self.instance.get_func(&mut self.store, name).unwrap();
        let r#type = function.ty(&self.store);
        let convert = |(value, kind): (&i64, ValType)| match kind {
            ValType::I64 => Val::I64(*value),
            _ => Val::I32(*value as i32),
        };
        let inputs: Vec<_> = inputs.iter().zip(r#type.params()).map(convert).collect();
        let mut outputs = vec![Val::I32(0); r#type.results().len()];
        function
            .call_async(&mut self.store, &inputs, &mut outputs)
            .await?;
        Ok(outputs.first().map_or(0, Val::unwrap_i32))
    }

    pub fn bytes(&mut self) -> &mut [u8] {
        self.memory.unwrap().data_mut(&mut self.store)
    }

    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes()[at..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Puts buffers, where and how long, at the beginning of the memory.
    pub fn put_buffers(&mut self, buffers: &[(u32, u32)]) {
        for (i, (at, length)) in buffers.iter().enumerate() {
            self.put(i * 8, &at.to_le_bytes());
            self.put(i * 8 + 4, &length.to_le_bytes());
        }
    }

    pub fn u32(&mut self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes()[at..][..4].try_into().unwrap())
    }

    pub fn u64(&mut self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes()[at..][..8].try_into().unwrap())
    }

    /// Opens a path below a directory: the descriptor, or the error.
    pub async fn open_in(
        &mut self,
        fd: i64,
        path: &str,
        how: i64,
        rights: i64,
    ) -> Result<i64, i32> {
        let length = self.put_path(path);
        let inputs = [fd, 1, PATH as i64, length, how, rights, 0, 0, OPENED as i64];
        match self.call("path_open", &inputs).await.unwrap() {
            0 => Ok(self.u32(OPENED).into()),
            error => Err(error),
        }
    }

    pub async fn open(&mut self, path: &str, how: i64, rights: i64) -> Result<i64, i32> {
        self.open_in(3, path, how, rights).await
    }

    pub async fn set_times(&mut self, path: &str, lookup: i64) -> i32 {
        let length = self.put_path(path);
        let inputs = [3, lookup, PATH as i64, length, 0, 0, 5];
        self.call("path_filestat_set_times", &inputs).await.unwrap()
    }

    pub async fn unlink(&mut self, path: &str) -> i32 {
        let length = self.put_path(path);
        let inputs = [3, PATH as i64, length];
        self.call("path_unlink_file", &inputs).await.unwrap()
    }

    fn put_path(&mut self, path: &str) -> i64 {
        self.put(PATH, path.as_bytes());
        path.len() as i64
    }
}

/// Runs a test with one blocking thread, so that a file operation that hangs blocks all later ones.
pub fn run<F: Future>(test: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().max_blocking_threads(1).build();
    runtime.unwrap().block_on(test)
}

/// A directory with a file, and a secret beside it. Both are removed after the test.
pub struct Tree(PathBuf);

impl Tree {
    pub fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "extism-host-{}-{}",
            std::process::id(),
            MADE.fetch_add(1, Relaxed)
        );
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(root.join("inside/dir")).unwrap();
        fs::write(root.join("inside/file"), "mine").unwrap();
        fs::write(root.join("secret"), "secret").unwrap();
        Self(root)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join("inside").join(name)
    }

    /// A guest with the directory allowed; the prefix is empty or "ro:".
    pub fn guest(&self, prefix: &str) -> Guest {
        let host = format!("{prefix}{}", self.0.join("inside").display());
        Guest::new(&WasiOptions {
            allowed_paths: vec![(host, "/".to_owned())],
            ..super::options()
        })
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
