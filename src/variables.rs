//! The variables of a native plugin, for host functions.

use napi::Env;
use napi::bindgen_prelude::*;

use extism_host::bytes;

use super::plugin::NativePlugin;
use super::raw::Bytes;
use super::settings::thrown;

#[napi]
impl NativePlugin {
    /// A variable of one of its instances, or null where there is none.
    #[napi(catch_unwind)]
    pub fn variable(&self, env: Env, instance: u32, name: String) -> Result<Option<Bytes>> {
        let variables = self.pool()?.variables(instance);
        let value = variables.and_then(|variables| variables.get(name.as_bytes()));
        let value = value.map(|value| bytes::copy(value.as_bytes()));
        let value = value.transpose().map_err(|failure| thrown(&env, failure))?;
        Ok(value.map(Bytes))
    }

    /// Sets a variable of one of its instances, or removes it: why that is not possible.
    #[napi(catch_unwind)]
    pub fn set_variable(
        &self,
        instance: u32,
        name: String,
        value: Option<&[u8]>,
    ) -> Result<Option<String>> {
        let Some(variables) = self.pool()?.variables(instance) else {
            return Ok(None);
        };
        Ok(match value {
            Some(value) => variables.set(name.as_bytes(), value).err(),
            None => {
                variables.remove(name.as_bytes());
                None
            }
        })
    }
}
