//! An import and the modules that lead to it, for error messages.

use std::fmt;
use std::rc::Rc;

use super::link::failure;
use super::{Import, Kind, Module, Types};
use crate::error::Failure;

pub struct ImportSite<'a> {
    pub modules: &'a [Module],
    /// From the main module to the module that has the import.
    pub path: Rc<[usize]>,
    pub import: &'a Import,
}

impl ImportSite<'_> {
    /// The provider of the import is known, but does not have what the module wants.
    pub fn refuse(&self, why: &str) -> Failure {
        self.failure(&format!("cannot import {self}; {why}"))
    }

    /// Nothing provides the import.
    pub fn unknown(&self, why: &str) -> Failure {
        self.failure(&format!("cannot resolve import {self}{why}"))
    }

    /// Fails unless the import is a function of this type, which is what the host has.
    pub fn check(&self, types: &Types) -> Result<(), Failure> {
        match &self.import.kind {
            Kind::Function(wanted) if wanted == types => Ok(()),
            Kind::Function(wanted) => {
                let why = format!("the module wants {wanted}, the host has {types}");
                Err(self.refuse(&why))
            }
            kind => Err(self.failure(&format!(
                "in import {self}, \"{}\"-typed host imports are not supported yet",
                kind.name()
            ))),
        }
    }

    pub fn circular(&self) -> Failure {
        let kind = self.import.kind.name();
        self.refuse(&format!(
            "circular imports of type=\"{kind}\" are not supported"
        ))
    }

    pub fn no_wasi(&self) -> Failure {
        let hint = "WASI is not enabled; see the \"useWasi\" plugin option";
        failure(format!(
            "{hint} (from module {}: import {self})",
            self.path()
        ))
    }

    fn failure(&self, what: &str) -> Failure {
        failure(format!("from module {}: {what}", self.path()))
    }

    fn path(&self) -> String {
        let names = self.path.iter().map(|&index| &self.modules[index].name);
        let quoted: Vec<_> = names.map(|name| format!("\"{name}\"")).collect();
        quoted.join("/")
    }
}

impl fmt::Display for ImportSite<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" \"{}\"", self.import.module, self.import.name)
    }
}
