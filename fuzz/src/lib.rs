//! What the fuzz targets share.

mod around;
mod generated;
mod imports;
mod linked;
mod manifest;
#[path = "../../host/src/store/tests/map.rs"]
mod map;
mod model;
mod name;
mod part;
mod section;

pub use around::around;
pub use extism_host::{error, module, module_bytes, store};
pub use generated::{SLOTS, comparable, functions, generate, hostile, mutate};
pub use linked::check;
pub use manifest::Manifest;
pub use model::Script;

use module::Module;

/// A module in binary form, whatever form it has.
pub fn binary(bytes: &[u8]) -> Vec<u8> {
    wat::parse_bytes(bytes).unwrap().into_owned()
}

/// The same module, read as one that is known to be valid.
pub fn read_known(module: Module) -> Module {
    let name = module.name.clone();
    let (bytes, imports, exports) = (
        module.bytes().clone(),
        module.imports.clone(),
        module.exports.clone(),
    );
    // What is read of the same bytes is shared for as long as it is used.
    drop(module);
    let known = Module::read_unless(&name, bytes.clone(), |_| true).unwrap();
    assert_eq!(known.imports, imports);
    assert_eq!(known.exports, exports);
    assert_eq!(known.bytes().digest(), bytes.digest());
    known
}
