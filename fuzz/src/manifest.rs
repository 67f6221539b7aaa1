//! Plugins of several modules that import each other, and host functions.

use arbitrary::Arbitrary;

use crate::module::{LinkOptions, Signature, Types};
use crate::name::Name;
use crate::part::{Import, Kind, NOTHING, Part, Type};

/// Beyond what is allowed.
const MOST_MODULES: u16 = 520;

#[derive(Arbitrary, Debug)]
pub struct Manifest {
    parts: Vec<Part>,
    chain: Option<Chain>,
    functions: Vec<HostFunction>,
    wasi: bool,
    max_pages: Option<u16>,
    max_table_elements: Option<u16>,
    runs_commands: bool,
    any_signature: bool,
}

/// Modules each of which imports from the next, the last one from the first if it is a ring.
#[derive(Arbitrary, Debug)]
struct Chain {
    length: u16,
    ring: bool,
}

#[derive(Arbitrary, Debug)]
struct HostFunction {
    namespace: Option<Name>,
    name: Name,
    types: Option<Type>,
}

impl Manifest {
    /// The modules, by name.
    pub fn modules(&self) -> Vec<(String, Vec<u8>)> {
        let chain = self.chain.iter().flat_map(Chain::parts);
        let parts = self
            .parts
            .iter()
            .map(|part| (part.name.text().to_owned(), part.encode()));
        chain.chain(parts).collect()
    }

    pub fn functions(&self) -> Vec<Signature> {
        let functions = self.functions.iter();
        functions
            .map(|function| Signature {
                namespace: function
                    .namespace
                    .as_ref()
                    .map(|name| name.text().to_owned()),
                name: function.name.text().to_owned(),
                types: function.types.map(Type::types).filter(is_plain),
            })
            .collect()
    }

    pub fn options(&self) -> LinkOptions {
        LinkOptions {
            wasi: self.wasi,
            max_pages: self.max_pages.map_or(u32::MAX, u32::from),
            max_table_elements: self.max_table_elements.map_or(u32::MAX, u32::from),
            runs_commands: self.runs_commands,
            any_signature: self.any_signature,
        }
    }
}

/// Nobody can offer a host function with other types.
fn is_plain(types: &Types) -> bool {
    use wasmparser::ValType::{F32, F64, I32, I64};
    let mut all = types.params.iter().chain(&types.results[..]);
    all.all(|ty| [I32, I64, F32, F64].contains(ty))
}

impl Chain {
    fn parts(&self) -> Vec<(String, Vec<u8>)> {
        // Many take long, and only a few numbers of them are of interest.
        let length = match self.length % 64 {
            0 => MOST_MODULES - self.length / 64 % 30,
            short => short % 8,
        };
        let part = |index: u16| {
            let next = match self.ring {
                true => Some((index + 1) % length),
                false => (index + 1 < length).then_some(index + 1),
            };
            let function = Kind::Function(NOTHING);
            let imported =
                |next: u16| Import::Any(Name::Any(next.to_string()), Name::Known(1), function);
            let part = Part {
                name: Name::Any(index.to_string()),
                imports: next.map(imported).into_iter().collect(),
                exports: vec![(Name::Known(1), function, 0)],
                start: None,
            };
            (index.to_string(), part.encode())
        };
        (0..length).map(part).collect()
    }
}
