//! What a guest can call in the host.

use std::str::Utf8Error;
use std::sync::Arc;

use extism::convert::{FromBytes, ToBytes};
use wasmtime::{FuncType, Linker, Val, ValType};

use crate::error::{Code, Failure};
use crate::host_call;
use crate::instance::InstanceState;
use crate::kernel;
use crate::module::{Signature, Types};
use crate::threads::contain;

/// A function for guests.
#[derive(Clone)]
pub struct HostFunction {
    /// `None` offers it where guests of either ABI look.
    pub namespace: Option<String>,
    pub name: String,
    /// `None`: those of whoever imports it.
    pub types: Option<Types>,
    pub body: Body,
}

#[derive(Clone)]
pub enum Body {
    /// Runs on whatever thread the guest runs on.
    Rust(Arc<dyn RustFunction>),
    /// The embedder's, which runs on the thread that called.
    Embedder(Embedded),
}

/// What the embedder knows one of its host functions by.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    pub plugin: u32,
    pub number: u32,
}

/// What a host function in Rust does. It does not wait.
pub trait RustFunction: Send + Sync {
    /// A failure ends the guest's call with that failure.
    fn call(
        &self,
        caller: &mut Caller<'_>,
        inputs: &[Val],
        outputs: &mut [Val],
    ) -> Result<(), Failure>;
}

/// The guest that called, while it waits.
pub struct Caller<'a>(pub(crate) wasmtime::Caller<'a, InstanceState>);

impl Caller<'_> {
    /// The block that an input is the offset of, as any type that Extism converts from bytes.
    pub fn get<'a, T: FromBytes<'a>>(&'a mut self, input: Option<&Val>) -> Result<T, Failure> {
        let offset = input.and_then(Val::i64).unwrap_or_default() as u64;
        let fail = |why: String| Failure::new(Code::HostFunction, why);
        let block = kernel::read(&mut self.0, offset)
            .ok_or_else(|| fail(format!("{offset} is not a block of the plugin's")))?;
        T::from_bytes(block).map_err(|error| {
            let what = match error.is::<Utf8Error>() {
                true => "is not UTF-8",
                false => "is not what the function takes",
            };
            fail(format!("the block at {offset} {what}: {error}"))
        })
    }

    /// A new block with anything that Extism converts to bytes: its offset, as an output.
    pub fn put<'a, T: ToBytes<'a>>(&mut self, value: T) -> Result<Val, Failure> {
        let bytes = value.to_bytes();
        let bytes = bytes.map_err(|error| Failure::new(Code::HostFunction, error.to_string()))?;
        let offset = kernel::store_bytes(&mut self.0, bytes.as_ref())?;
        Ok(Val::I64(offset as i64))
    }
}

impl HostFunction {
    pub fn signature(&self) -> Signature {
        Signature {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            types: self.types.clone(),
        }
    }

    /// Whether it can only answer while the thread that called is there.
    pub fn needs_embedder(&self) -> bool {
        matches!(self.body, Body::Embedder(_))
    }

    /// Adds it under another name. `releases`: its parameters are blocks, which belong to the host
    /// once they are passed.
    pub fn add_to_linker(
        &self,
        linker: &mut Linker<InstanceState>,
        module: &str,
        name: &str,
        releases: bool,
    ) -> wasmtime::Result<()> {
        let types = self.types.clone().unwrap_or_default();
        let list =
            |types: &[wasmparser::ValType]| types.iter().map(to_wasmtime).collect::<Vec<_>>();
        let ty = FuncType::new(linker.engine(), list(&types.params), list(&types.results));
        let called = self.name.clone();
        let zeros: Arc<[Val]> = types.results.iter().map(zero).collect();
        match self.body.clone() {
            Body::Rust(function) => {
                linker.func_new(module, name, ty, move |caller, inputs, outputs| {
                    outputs.clone_from_slice(&zeros);
                    let mut caller = Caller(caller);
                    let result = contain(|| function.call(&mut caller, inputs, outputs));
                    result.map_err(|failure| failed(failure, &called))
                })?;
            }
            Body::Embedder(function) => {
                let called: Arc<str> = called.into();
                linker.func_new_async(module, name, ty, move |mut caller, inputs, outputs| {
                    let called = called.clone();
                    outputs.clone_from_slice(&zeros);
                    Box::new(async move {
                        let result = host_call::run(&mut caller, function, inputs, outputs).await;
                        if releases {
                            for input in inputs {
                                let start = input.i64().unwrap_or_default() as u64;
                                kernel::release(&mut caller, start);
                            }
                        }
                        result.map_err(|failure| failed(failure, &called))
                    })
                })?;
            }
        }
        Ok(())
    }
}

fn failed(failure: Failure, function: &str) -> wasmtime::Error {
    wasmtime::Error::new(failure.in_host_function(function))
}

/// Signatures have the numeric types only.
pub fn to_wasmtime(ty: &wasmparser::ValType) -> ValType {
    match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        _ => ValType::I64,
    }
}

/// The value that nobody has set.
pub fn zero(ty: &wasmparser::ValType) -> Val {
    match ty {
        wasmparser::ValType::I32 => Val::I32(0),
        wasmparser::ValType::F32 => Val::F32(0),
        wasmparser::ValType::F64 => Val::F64(0),
        _ => Val::I64(0),
    }
}
