//! Instantiates what was linked, for plugins that import nothing from the host.

use wasmtime::{Engine, Extern, Instance, Ref, Result, Store, Val};

use super::*;

/// The main module's instance, with all others instantiated before it.
pub fn instantiate(linked: &LinkedModule) -> Result<(Store<()>, Instance)> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut instances = Vec::<Instance>::new();
    for (position, unit) in linked.units.iter().enumerate() {
        let module = wasmtime::Module::new(&engine, unit.bytes.bytes())?;
        let externs = unit.imports.iter().map(|source| match source {
            Source::Export { unit, name } => instances[*unit].get_export(&mut store, name).unwrap(),
            other => panic!("not in these tests: {other:?}"),
        });
        let externs: Vec<Extern> = externs.collect();
        let instance = Instance::new(&mut store, &module, &externs)?;
        instances.push(instance);
        let deferred = linked.deferred.iter();
        for each in deferred.filter(|each| each.unit == position) {
            let table = instances[each.trampoline].get_table(&mut store, &each.table);
            let function = instance.get_func(&mut store, &each.export);
            let slot = u64::from(each.slot);
            table.unwrap().set(&mut store, slot, Ref::Func(function))?;
        }
    }
    Ok((store, instances[linked.main]))
}

/// The `i32` that a function of this name returns.
pub fn call(store: &mut Store<()>, instance: &Instance, name: &str) -> i32 {
    let function = instance.get_func(&mut *store, name).unwrap();
    let mut results = [Val::I32(-1)];
    function.call(store, &[], &mut results).unwrap();
    results[0].unwrap_i32()
}
