//! Reads and validates one module.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::sync::Arc;

use wasmparser::types::{CoreTypeId, EntityType, Types as Validated};
use wasmparser::{
    BinaryReaderError, FuncValidatorAllocations, MemoryType, Parser, Payload, TableType,
    ValidPayload, Validator,
};

use super::{Export, FEATURES, Import, Kind, Types, interfaces, text};
use crate::error::{Code, Failure};
use crate::module_bytes::ModuleBytes;

/// A module that was validated.
#[derive(Debug)]
pub struct Module {
    pub name: String,
    bytes: ModuleBytes,
    interface: Arc<Interface>,
}

/// What a module has for others, and needs of them.
#[derive(Debug)]
pub struct Interface {
    pub imports: Vec<Import>,
    pub exports: Vec<Export>,
    /// Whether instantiating it runs code.
    pub(super) has_start: bool,
    /// The memories that the module defines, without those that it imports.
    pub(super) memories: Vec<MemoryType>,
    /// The tables that the module defines, without those that it imports.
    pub(super) tables: Vec<TableType>,
}

impl Deref for Module {
    type Target = Interface;

    fn deref(&self) -> &Interface {
        &self.interface
    }
}

/// Whether the bodies of functions are validated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bodies {
    Validate,
    Skip,
}

impl Module {
    /// Reads a module in binary or in text form and validates all of it. Messages call it
    /// `name`.
    pub fn read(name: &str, bytes: Vec<u8>) -> Result<Self, Failure> {
        Self::read_unless(name, ModuleBytes::new(bytes), |_| false)
    }

    /// The module in binary form, also where it was read from text.
    pub fn bytes(&self) -> &ModuleBytes {
        &self.bytes
    }

    /// The type of the exported function of this name.
    pub(super) fn function(&self, name: &str) -> Option<&Types> {
        self.exports.iter().find_map(|export| match &export.kind {
            Kind::Function(types) if export.name == name => Some(types),
            _ => None,
        })
    }

    /// The same without validating the bodies of functions where they are known to be valid: where
    /// there is compiled code for these bytes.
    pub fn read_unless(
        name: &str,
        bytes: ModuleBytes,
        is_valid: impl FnOnce(&ModuleBytes) -> bool,
    ) -> Result<Self, Failure> {
        let invalid = |why: String| {
            Failure::new(Code::Module, format!("module \"{name}\" is invalid: {why}"))
        };
        let bytes = match text::binary(bytes.bytes()).map_err(invalid)? {
            Cow::Borrowed(_) => bytes,
            Cow::Owned(binary) => ModuleBytes::new(binary),
        };
        let read = || {
            let bodies = match is_valid(&bytes) {
                true => Bodies::Skip,
                false => Bodies::Validate,
            };
            Interface::read(bytes.bytes(), bodies)
        };
        let interface = interfaces::get_or_read(bytes.digest(), read).map_err(invalid)?;
        Ok(Self {
            name: name.to_owned(),
            bytes,
            interface,
        })
    }

    /// What is left of it once it is compiled.
    pub(super) fn into_interface(self) -> Arc<Interface> {
        self.interface
    }
}

impl Interface {
    fn read(bytes: &[u8], bodies: Bodies) -> Result<Self, String> {
        let (types, names, has_start) =
            validate(bytes, bodies).map_err(|error| error.to_string())?;
        let types = types.ok_or_else(|| "it has no end".to_owned())?;
        let (imports, exports) = interface(&types, &names)?;
        let imported = |is: fn(&Kind) -> bool| {
            let imports = imports.iter().filter(|import| is(&import.kind));
            imports.count() as u32
        };
        let types = types.as_ref();
        let memories = imported(|kind| matches!(kind, Kind::Memory(_)))..types.memory_count();
        let tables = imported(|kind| matches!(kind, Kind::Table(_)))..types.table_count();
        Ok(Self {
            memories: memories.map(|index| types.memory_at(index)).collect(),
            tables: tables.map(|index| types.table_at(index)).collect(),
            imports,
            exports,
            has_start,
        })
    }
}

type ImportNames<'a> = Vec<(&'a str, &'a str)>;

/// What the validator knows of a valid module, and the names of its imports in their order.
fn validate(
    bytes: &[u8],
    bodies: Bodies,
) -> Result<(Option<Validated>, ImportNames<'_>, bool), BinaryReaderError> {
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    let mut validator = Validator::new_with_features(FEATURES);
    let (mut functions, mut names, mut types) = (Vec::new(), Vec::new(), None);
    let mut has_start = false;
    for payload in parser.parse_all(bytes) {
        let payload = payload?;
        match validator.payload(&payload)? {
            ValidPayload::Func(function, body) if bodies == Bodies::Validate => {
                functions.push((function, body));
            }
            ValidPayload::End(end) => types = Some(end),
            _ => {}
        }
        has_start |= matches!(payload, Payload::StartSection { .. });
        if let Payload::ImportSection(section) = payload {
            for import in section.into_imports() {
                let import = import?;
                names.push((import.module, import.name));
            }
        }
    }
    // Bodies come last: they refer to sections behind the code, such as the data segments.
    let mut allocations = FuncValidatorAllocations::default();
    for (function, body) in functions {
        let mut validator = function.into_validator(allocations);
        validator.validate(&body)?;
        allocations = validator.into_allocations();
    }
    Ok((types, names, has_start))
}

/// The imports and exports of a valid module.
fn interface(
    types: &Validated,
    names: &ImportNames<'_>,
) -> Result<(Vec<Import>, Vec<Export>), String> {
    let types = types.as_ref();
    let (Some(imports), Some(exports)) = (types.core_imports(), types.core_exports()) else {
        return Err("a component, not a module".to_owned());
    };
    let mut functions = HashMap::<CoreTypeId, Types>::new();
    let mut kind = |entity: EntityType| match entity {
        EntityType::Func(id) | EntityType::FuncExact(id) => {
            let function = functions.entry(id);
            Kind::Function(
                function
                    .or_insert_with(|| Types::from(types[id].unwrap_func()))
                    .clone(),
            )
        }
        EntityType::Table(table) => Kind::Table(table),
        EntityType::Memory(memory) => Kind::Memory(memory),
        EntityType::Global(global) => Kind::Global(global),
        EntityType::Tag(_) => Kind::Tag,
    };
    // The validator groups imports by name; their order is that of `names`.
    let mut kinds = HashMap::<_, VecDeque<_>>::new();
    for (module, name, entity) in imports {
        // The compiler does not have this feature, and says so only after linking.
        if let EntityType::FuncExact(_) = entity {
            return Err(format!(
                "\"{module}\" \"{name}\" is imported as a function of exactly one type, which is not supported"
            ));
        }
        let kinds: &mut VecDeque<_> = kinds.entry((module, name)).or_default();
        kinds.push_back(kind(entity));
    }
    let imports = names.iter().filter_map(|&(module, name)| {
        let kind = kinds.get_mut(&(module, name))?.pop_front()?;
        Some(Import {
            module: module.to_owned(),
            name: name.to_owned(),
            kind,
        })
    });
    let imports = imports.collect();
    let exports = exports.map(|(name, entity)| Export {
        name: name.to_owned(),
        kind: kind(entity),
    });
    Ok((imports, exports.collect()))
}
