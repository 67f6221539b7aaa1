//! Standard output and standard error of a guest.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::pipe::SinkOutputStream;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::log::{Output, Passed};

/// The largest write. `wasmtime-wasi` splits longer ones itself.
const PIECE: usize = 4096;
/// The delay before an output that had no room is asked again.
const ROOM_AGAIN: Duration = Duration::from_millis(1);
/// The number of bytes after which a task yields.
const PAUSE_AFTER: usize = 256 << 10;

/// The error of the system that guests see as ENOMEM.
const NO_MEMORY: i32 = if cfg!(windows) { 8 } else { libc::ENOMEM };

#[derive(Clone)]
pub struct Destination {
    /// Without one, output is discarded.
    pub output: Option<Arc<dyn Output>>,
    pub is_error: bool,
    pub is_terminal: bool,
    /// The number of bytes accepted.
    pub printed: Arc<AtomicU64>,
}

impl IsTerminal for Destination {
    fn is_terminal(&self) -> bool {
        self.is_terminal && self.output.is_some()
    }
}

impl StdoutStream for Destination {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Stream {
            destination: self.clone(),
            waiting: Bytes::new(),
            refused: false,
            since_pause: 0,
        })
    }

    /// Required by the trait. Preview 1 uses `p2_stream` only.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        SinkOutputStream.async_stream()
    }
}

struct Stream {
    destination: Destination,
    /// Bytes that the output had no room for yet.
    waiting: Bytes,
    /// The output has refused the last write for good.
    refused: bool,
    since_pause: usize,
}

impl Stream {
    /// Passes the waiting bytes on, if the output has room.
    fn pass(&mut self) {
        let Destination {
            output, is_error, ..
        } = &self.destination;
        let passed = match output {
            Some(output) => output.print(*is_error, &self.waiting),
            None => Passed::On,
        };
        match passed {
            Passed::Later => return,
            Passed::Never => self.refused = true,
            Passed::On => {
                let length = self.waiting.len();
                self.since_pause += length;
                self.destination.printed.fetch_add(length as u64, Relaxed);
            }
        }
        self.waiting.clear();
    }

    /// Reports a refused write, once.
    fn refusal(&mut self) -> StreamResult<()> {
        match std::mem::take(&mut self.refused) {
            true => {
                let error = io::Error::from_raw_os_error(NO_MEMORY);
                Err(StreamError::LastOperationFailed(error.into()))
            }
            false => Ok(()),
        }
    }
}

#[async_trait]
impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if !bytes.is_empty() {
            self.waiting = bytes;
            self.pass();
        }
        self.refusal()
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.refusal()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.refusal()?;
        Ok(if self.waiting.is_empty() { PIECE } else { 0 })
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        while !self.waiting.is_empty() {
            tokio::time::sleep(ROOM_AGAIN).await;
            self.pass();
        }
        if self.since_pause >= PAUSE_AFTER {
            self.since_pause = 0;
            tokio::task::yield_now().await;
        }
    }
}
