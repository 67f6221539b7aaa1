//! The bytes of modules on their way into plugins.

use std::cell::{Cell, RefCell};

use extism_host::module_bytes::ModuleBytes;
use napi::Env;
use napi::bindgen_prelude::*;

use super::settings::{MAX_EXTERNAL_BYTES, thrown};

/// A module of a manifest, until a plugin is made of it. Writing to the given bytes afterwards
/// changes nothing.
#[napi(custom_finalize)]
pub struct NativeModule {
    bytes: RefCell<ModuleBytes>,
    /// What V8 was told that it costs, in bytes.
    external: Cell<i64>,
}

#[napi]
impl NativeModule {
    /// Shares the bytes with plugins of the same content, or else copies them. Throws where there
    /// is no memory for that.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, bytes: &[u8]) -> Result<Self> {
        let known = ModuleBytes::of(bytes).map_err(|failure| thrown(&env, failure))?;
        let external = match known.is_shared() {
            true => 0,
            false => bytes.len().min(MAX_EXTERNAL_BYTES as usize) as i64,
        };
        env.adjust_external_memory(external)?;
        Ok(Self {
            bytes: RefCell::new(known),
            external: Cell::new(external),
        })
    }

    /// The SHA-256 of the bytes, in hexadecimal digits.
    #[napi(getter, catch_unwind)]
    pub fn sha256(&self) -> String {
        let bytes = self.bytes.borrow();
        let digits = bytes.digest().iter();
        digits.map(|byte| format!("{byte:02x}")).collect()
    }
}

impl NativeModule {
    /// The bytes, for the one plugin that is made of them.
    pub fn take(&self) -> ModuleBytes {
        self.bytes.take()
    }

    /// What V8 was told that they cost, which is from now on the plugin's.
    pub fn hand_over(&self) -> i64 {
        self.external.take()
    }
}

impl ObjectFinalize for NativeModule {
    fn finalize(self, env: Env) -> Result<()> {
        env.adjust_external_memory(-self.external.take())?;
        Ok(())
    }
}
