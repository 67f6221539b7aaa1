//! A function of the main module that can be called.

use wasmtime::{Func, Store, TypedFunc, Val};

use super::InstanceState;
use crate::host_function::zero;
use crate::module::Types;
use crate::plugin_spec::PluginSpec;

#[derive(Clone)]
pub enum Entry {
    /// It gives a code.
    Code(TypedFunc<(), i32>),
    Nothing(TypedFunc<(), ()>),
    /// Anything else is called with zeros, and what it gives says nothing.
    Other(Func, Vec<Val>, usize),
}

impl Entry {
    pub fn of(
        store: &mut Store<InstanceState>,
        main: &wasmtime::Instance,
        plugin: &PluginSpec,
        function: usize,
    ) -> wasmtime::Result<Self> {
        let point = plugin.linked.entry_points.get(function);
        let point = point.ok_or_else(|| wasmtime::Error::msg("no such function"))?;
        Self::named(store, main, &point.name, &point.types)
    }

    pub fn named(
        store: &mut Store<InstanceState>,
        instance: &wasmtime::Instance,
        name: &str,
        types: &Types,
    ) -> wasmtime::Result<Self> {
        let function = instance.get_func(&mut *store, name);
        let function = function.ok_or_else(|| wasmtime::Error::msg("no such function"))?;
        if let Ok(typed) = function.typed(&*store) {
            return Ok(Self::Code(typed));
        }
        if let Ok(typed) = function.typed(&*store) {
            return Ok(Self::Nothing(typed));
        }
        let params = types.params.iter().map(zero).collect();
        Ok(Self::Other(function, params, types.results.len()))
    }

    pub async fn call(&self, store: &mut Store<InstanceState>) -> wasmtime::Result<i32> {
        match self {
            Self::Code(function) => function.call_async(store, ()).await,
            Self::Nothing(function) => function.call_async(store, ()).await.map(|()| 0),
            Self::Other(function, params, results) => {
                let mut results = vec![Val::I32(0); *results];
                function.call_async(store, params, &mut results).await?;
                Ok(match results[..] {
                    [Val::I32(code)] => code,
                    _ => 0,
                })
            }
        }
    }
}
