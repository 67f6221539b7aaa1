//! Compiles in a child process, which is killed when it takes more than it may: within a process,
//! the compiler cannot be interrupted.

use std::io::{Read, Write};
#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::TrustedCode;
use super::code_file::CodeFile;
use super::scratch::Scratch;
use crate::engine::Engine;
use crate::error::{Code, Failure};
use crate::module_bytes::ModuleBytes;
use crate::threads::no_thread;

/// How often the child is looked at. The standard library cannot wait with a timeout, and the
/// signal of a child's end belongs to the embedder.
const POLL: Duration = Duration::from_millis(2);

/// What the child may say of a failure.
const MAX_REPORT_BYTES: u64 = 64 << 10;

/// The failures that the child tells by their codes.
const CODES: [Code; 5] = [
    Code::Module,
    Code::Instance,
    Code::CompileLimit,
    Code::CompileProcess,
    Code::Internal,
];

/// What compiling a plugin may take, and what compiles it.
#[derive(Clone, Debug)]
pub struct CompileLimits {
    /// For all modules of the plugin together.
    pub timeout: Option<Duration>,
    /// For one module, beyond what the child takes before it compiles.
    pub memory_bytes: Option<u64>,
    pub command: ChildCommand,
}

/// How the child is started.
#[derive(Clone, Debug)]
pub struct ChildCommand {
    pub program: PathBuf,
    /// The script that `program` runs. It reads the module from standard input, calls
    /// [`compile_into`](super::compile_into), and ends when its standard input does.
    pub script: PathBuf,
    /// All that it has of an environment.
    pub environment: Vec<(String, String)>,
    /// Where directories for one module are made.
    pub temporary: PathBuf,
}

/// Compiles the modules of one plugin.
pub struct ChildCompiler<'a> {
    limits: &'a CompileLimits,
    pub(super) deadline: Option<Instant>,
    is_needed: &'a dyn Fn() -> bool,
}

impl<'a> ChildCompiler<'a> {
    /// The time begins now. The child is killed once `is_needed` says no.
    pub fn new(limits: &'a CompileLimits, is_needed: &'a dyn Fn() -> bool) -> Self {
        let deadline = |timeout| Instant::now().checked_add(timeout);
        Self {
            limits,
            deadline: limits.timeout.and_then(deadline),
            is_needed,
        }
    }

    /// The child writes to the cache, or else to a directory that is gone afterwards. What it wrote
    /// there is trusted as far as any file of a cache is.
    pub(super) fn compile(
        &self,
        engine: &Engine,
        bytes: &ModuleBytes,
        cache: Option<&Path>,
    ) -> Result<TrustedCode, Failure> {
        let scratch = Scratch::new(&self.limits.command.temporary);
        if let (Err(error), None) = (&scratch, cache) {
            let message = format!("there is no directory for the compiled code: {error}");
            return Err(Failure::new(Code::CompileProcess, message));
        }
        let scratch = scratch.as_ref().ok().map(Scratch::path);
        let mut command = self.command(engine, bytes);
        command.arg(scratch.unwrap_or(Path::new(""))).args(cache);
        self.run(command, bytes.bytes())?;
        let directories = cache.into_iter().chain(scratch);
        let mut files = directories
            .map(|directory| CodeFile::new(directory, &engine.fingerprint, bytes.digest()));
        files.find_map(|file| file.read()).ok_or_else(|| {
            let message = "its process left no compiled code of this version";
            Failure::new(Code::CompileProcess, message)
        })
    }

    pub(super) fn late(&self) -> Failure {
        let timeout = self.limits.timeout.unwrap_or_default().as_millis();
        let message = format!("that takes longer than {timeout} ms (compileTimeoutMs)");
        Failure::new(Code::CompileLimit, message)
    }

    fn command(&self, engine: &Engine, bytes: &ModuleBytes) -> Command {
        let ChildCommand {
            program,
            script,
            environment,
            ..
        } = &self.limits.command;
        let max_memory = self.limits.memory_bytes.map(|bytes| bytes.to_string());
        let mut command = Command::new(program);
        command
            .arg(script)
            .arg(bytes.bytes().len().to_string())
            .arg(max_memory.unwrap_or_default())
            .arg(if engine.class.fuel { "fuel" } else { "" })
            .arg(engine.class.stack.bytes().to_string())
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // Ctrl+C in a terminal goes to the whole group, and it is for the parent to decide.
        #[cfg(unix)]
        command.process_group(0);
        command
    }

    fn run(&self, mut command: Command, bytes: &[u8]) -> Result<(), Failure> {
        if self.is_late() {
            return Err(self.late());
        }
        let child = command.spawn();
        let mut running = Running(child.map_err(|error| lost("cannot start", &error))?);
        // Until the child has ended: an end of its input tells it that its parent is gone.
        let input = running.0.stdin.take();
        let status = thread::scope(|scope| {
            // A child that does not read must not keep this thread from looking at the time.
            thread::Builder::new()
                .name("extism-compile-input".to_owned())
                .spawn_scoped(scope, || {
                    input.as_ref().map(|mut input| input.write_all(bytes))
                })
                .map_err(|_| no_thread())
                .and_then(|_| self.wait(&mut running.0))
                // Otherwise the scope would wait for a child that reads no further.
                .inspect_err(|_| running.end())
        })?;
        let mut report = String::new();
        if let Some(output) = running.0.stdout.take() {
            let _ = output.take(MAX_REPORT_BYTES).read_to_string(&mut report);
        }
        self.outcome(status, &report)
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, Failure> {
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => {}
                Err(error) => return Err(lost("is lost", &error)),
            }
            if !(self.is_needed)() {
                return Err(Failure::new(Code::Closed, "the plugin is closed"));
            }
            if self.is_late() {
                return Err(self.late());
            }
            thread::sleep(POLL);
        }
    }

    fn is_late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| deadline <= Instant::now())
    }

    /// A report is a code, and a message on the lines after it.
    fn outcome(&self, status: ExitStatus, report: &str) -> Result<(), Failure> {
        let (name, message) = report.split_once('\n').unwrap_or_default();
        let code = CODES.into_iter().find(|code| code.name() == name);
        match code {
            None if status.success() => Ok(()),
            None => Err(lost("ended", &status)),
            Some(Code::CompileLimit) => {
                let max = self.limits.memory_bytes.unwrap_or_default();
                let message =
                    format!("that takes more than {max} bytes of memory (maxCompileMemoryBytes)");
                Err(Failure::new(Code::CompileLimit, message))
            }
            Some(code) => Err(Failure::new(code, message)),
        }
    }
}

fn lost(what: &str, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(Code::CompileProcess, format!("its process {what}: {why}"))
}

/// A child that does not outlive this.
struct Running(Child);

impl Running {
    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
