//! Imports and exports, for JavaScript.

use crate::module::{Export, Import};

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
