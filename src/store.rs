//! The native store behind the `Map` face.

use std::cell::Cell;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::*;

use extism_host::faults;
use extism_host::store::{Limits, Store, Value};

use super::settings::{MAX_EXTERNAL_BYTES, milliseconds};

#[napi(custom_finalize)]
pub struct NativeStore {
    pub(super) store: Arc<Store>,
    /// What V8 was told that it costs, in bytes.
    external: Cell<i64>,
}

/// V8 is not told of less: that takes longer than a small entry does.
const ACCOUNT_BYTES: i64 = 64 << 10;

/// What a store holds, and what happened to it since it was made.
#[napi(object, object_from_js = false)]
pub struct StoreStats {
    pub entries: f64,
    /// Bytes of the keys (as UTF-8) and of the values.
    pub bytes: f64,
    pub hits: f64,
    pub misses: f64,
    pub evictions: f64,
    pub expirations: f64,
}

/// Entries in the order of insertion, as three arrays of the same length.
#[napi(object, object_from_js = false)]
pub struct Entries<'a> {
    pub cursors: Vec<f64>,
    pub keys: Vec<String>,
    pub values: Vec<Either<String, BufferSlice<'a>>>,
}

#[napi]
impl NativeStore {
    #[napi(constructor, catch_unwind)]
    pub fn new(max_entries: Option<f64>, max_bytes: Option<f64>, ttl_ms: Option<f64>) -> Self {
        let limits = Limits {
            max_entries: max_entries.map(|entries| entries as u64),
            max_bytes: max_bytes.map(|bytes| bytes as u64),
            ttl: ttl_ms.map(milliseconds),
        };
        Self {
            store: Arc::new(Store::new(limits)),
            external: Cell::default(),
        }
    }

    #[napi(catch_unwind)]
    pub fn get<'env>(
        &self,
        env: &'env Env,
        key: String,
    ) -> Result<Option<Either<String, BufferSlice<'env>>>> {
        self.store
            .get(&key)
            .map(|value| to_js(env, &value))
            .transpose()
    }

    #[napi(catch_unwind)]
    pub fn has(&self, key: String) -> bool {
        self.store.has(&key)
    }

    /// The sizes that were too large, as key, value and limit; null when the entry is set.
    #[napi(catch_unwind)]
    pub fn set(
        &self,
        env: Env,
        key: String,
        value: Either<String, &[u8]>,
    ) -> Result<Option<Vec<f64>>> {
        faults::point("set");
        let value = match value {
            Either::A(text) => Value::Text(text.into()),
            Either::B(bytes) => Value::Bytes(bytes.into()),
        };
        let refused = self.store.set(&key, value).err();
        self.account(env)?;
        Ok(refused.map(|refused| {
            let sizes = [refused.key_bytes, refused.value_bytes, refused.max_bytes];
            sizes.map(|size| size as f64).to_vec()
        }))
    }

    #[napi(catch_unwind)]
    pub fn delete(&self, env: Env, key: String) -> Result<bool> {
        let deleted = self.store.delete(&key);
        self.account(env)?;
        Ok(deleted)
    }

    #[napi(catch_unwind)]
    pub fn clear(&self, env: Env) -> Result<()> {
        self.store.clear();
        self.account(env)
    }

    #[napi(getter, catch_unwind)]
    pub fn size(&self) -> f64 {
        self.store.size() as f64
    }

    /// Up to `count` entries after the one with this cursor; from the start after cursor 0.
    #[napi(catch_unwind)]
    pub fn entries_after<'env>(
        &self,
        env: &'env Env,
        cursor: f64,
        count: u32,
    ) -> Result<Entries<'env>> {
        let items = self.store.next_batch(cursor as u64, count as usize);
        Ok(Entries {
            cursors: items.iter().map(|item| item.cursor as f64).collect(),
            keys: items.iter().map(|item| item.key.to_string()).collect(),
            values: items
                .iter()
                .map(|item| to_js(env, &item.value))
                .collect::<Result<_>>()?,
        })
    }

    #[napi(catch_unwind)]
    pub fn stats(&self) -> StoreStats {
        let stats = self.store.stats();
        StoreStats {
            entries: stats.entries as f64,
            bytes: stats.bytes as f64,
            hits: stats.hits as f64,
            misses: stats.misses as f64,
            evictions: stats.evictions as f64,
            expirations: stats.expirations as f64,
        }
    }
}

impl NativeStore {
    /// Tells V8 what this store costs, so that it collects stores that nobody has.
    fn account(&self, env: Env) -> Result<()> {
        let bytes = self.store.bytes().min(MAX_EXTERNAL_BYTES) as i64;
        let change = bytes - self.external.get();
        if change.abs() >= ACCOUNT_BYTES {
            self.external.set(bytes);
            env.adjust_external_memory(change)?;
        }
        Ok(())
    }
}

impl ObjectFinalize for NativeStore {
    fn finalize(self, env: Env) -> Result<()> {
        env.adjust_external_memory(-self.external.get())?;
        Ok(())
    }
}

fn to_js<'env>(env: &'env Env, value: &Value) -> Result<Either<String, BufferSlice<'env>>> {
    Ok(match value {
        Value::Text(text) => Either::A(text.to_string()),
        Value::Bytes(bytes) => Either::B(BufferSlice::copy_from(env, bytes)?),
    })
}
