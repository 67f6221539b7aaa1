//! Imports and exports, for JavaScript.

use napi::bindgen_prelude::*;

use super::plugin::NativePlugin;
use extism_host::module::{Export, Import};

/// An import or an export.
#[napi(object, object_from_js = false)]
pub struct Descriptor {
    pub module: Option<String>,
    pub name: String,
    pub kind: String,
}

impl From<&Export> for Descriptor {
    fn from(export: &Export) -> Self {
        Self {
            module: None,
            name: export.name.clone(),
            kind: export.kind.name().to_owned(),
        }
    }
}

impl From<&Import> for Descriptor {
    fn from(import: &Import) -> Self {
        Self {
            module: Some(import.module.clone()),
            name: import.name.clone(),
            kind: import.kind.name().to_owned(),
        }
    }
}

#[napi]
impl NativePlugin {
    /// The main module's exports, in its order.
    #[napi(getter, catch_unwind)]
    pub fn exports(&self) -> Result<Vec<Descriptor>> {
        let exports = &self.pool()?.linked.interface.exports;
        Ok(exports.iter().map(Descriptor::from).collect())
    }

    /// The kind of what the main module exports under this name, or null.
    #[napi(catch_unwind)]
    pub fn export_kind(&self, name: String) -> Result<Option<&'static str>> {
        let mut exports = self.pool()?.linked.interface.exports.iter();
        let export = exports.find(|export| export.name == name);
        Ok(export.map(|export| export.kind.name()))
    }

    /// The main module's imports, in its order.
    #[napi(getter, catch_unwind)]
    pub fn imports(&self) -> Result<Vec<Descriptor>> {
        let imports = &self.pool()?.linked.interface.imports;
        Ok(imports.iter().map(Descriptor::from).collect())
    }
}
