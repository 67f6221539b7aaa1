//! An import, and where it is: what messages about it say.

use std::rc::Rc;

use super::link::fail;
use super::{Import, Kind, Module, Types};
use crate::error::Failure;

pub struct Place<'a> {
    pub modules: &'a [Module],
    /// The module it is in, last, and by way of which others.
    pub path: Rc<[usize]>,
    pub import: &'a Import,
}

impl Place<'_> {
    /// The import is there, but not what the module wants.
    pub fn refuse(&self, why: &str) -> Failure {
        self.says(&format!("cannot import {self}; {why}"))
    }

    pub fn unknown(&self, why: &str) -> Failure {
        self.says(&format!("cannot resolve import {self}{why}"))
    }

    /// Whether what the host has is what the module wants.
    pub fn check(&self, types: &Types) -> Result<(), Failure> {
        match &self.import.kind {
            Kind::Function(wanted) if wanted == types => Ok(()),
            Kind::Function(wanted) => {
                let why = format!("the module wants {wanted}, the host has {types}");
                Err(self.refuse(&why))
            }
            kind => Err(self.says(&format!(
                "in import {self}, \"{}\"-typed host imports are not supported yet",
                kind.name()
            ))),
        }
    }

    pub fn no_wasi(&self) -> Failure {
        let hint = "WASI is not enabled; see the \"useWasi\" plugin option";
        fail(format!(
            "{hint} (from module {}: import {self})",
            self.path()
        ))
    }

    fn says(&self, what: &str) -> Failure {
        fail(format!("from module {}: {what}", self.path()))
    }

    fn path(&self) -> String {
        let names = self.path.iter().map(|&index| &self.modules[index].name);
        let quoted: Vec<_> = names.map(|name| format!("\"{name}\"")).collect();
        quoted.join("/")
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\" \"{}\"", self.import.module, self.import.name)
    }
}
