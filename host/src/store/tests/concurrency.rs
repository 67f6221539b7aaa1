//! Readers on other threads see values whole, and writers on many leave no trace of their races.

use std::sync::atomic::AtomicUsize;
use std::thread;

use super::*;

const READERS: usize = 4;
const READS: usize = 5_000;

fn uniform(byte: u8, len: usize) -> Value {
    Value::Bytes(vec![byte; len].into())
}

fn assert_uniform(value: &Value) {
    let bytes = value.as_bytes();
    assert!(bytes.iter().all(|byte| *byte == bytes[0]), "half a value");
    assert_eq!(bytes.len(), 64 + usize::from(bytes[0]));
}

/// Runs `write` with ascending bytes until every reader has called `read` [`READS`] times.
fn race(write: impl Fn(u8), read: impl Fn() + Sync) {
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                let _done = CountOnDrop(&done);
                (0..READS).for_each(|_| read());
            });
        }
        for byte in (0..=u8::MAX).cycle() {
            if done.load(Relaxed) == READERS {
                break;
            }
            write(byte);
        }
    });
}

/// Counts a reader that panics, too: the writer would go on for ever.
struct CountOnDrop<'a>(&'a AtomicUsize);

impl Drop for CountOnDrop<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_store_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Store>();
}

#[test]
fn an_overwritten_value_is_never_absent_and_never_half() {
    let store = Store::new(Limits::default());
    let write = |byte| {
        store
            .set("k", uniform(byte, 64 + usize::from(byte)))
            .unwrap()
    };
    write(0);
    race(write, || assert_uniform(&store.get("k").unwrap()));
    let stats = store.stats();
    assert_eq!(stats.hits, (READERS * READS) as u64);
    assert_eq!(stats.misses, 0);
}

#[test]
fn a_deleted_value_is_absent_or_whole() {
    let store = Store::new(Limits::default());
    let write = |byte| {
        store
            .set("k", uniform(byte, 64 + usize::from(byte)))
            .unwrap();
        store.delete("k");
    };
    race(write, || {
        if let Some(value) = store.get("k") {
            assert_uniform(&value);
        }
    });
    let stats = store.stats();
    assert_eq!(stats.hits + stats.misses, (READERS * READS) as u64);
}

#[test]
fn the_bounds_are_kept_at_all_times() {
    let limits = Limits {
        max_entries: Some(8),
        max_bytes: Some(8 * 256),
        ttl: None,
    };
    let store = Store::new(limits);
    let write = |byte: u8| {
        let key = format!("k{}", byte % 32);
        store
            .set(&key, uniform(byte, 64 + usize::from(byte)))
            .unwrap();
    };
    race(write, || {
        let stats = store.stats();
        assert!(stats.entries <= 8 && stats.bytes <= 8 * 256, "{stats:?}");
    });
    assert_eq!(store.map.len() as u64, store.size());
}

#[test]
fn writers_on_many_threads_leave_order_and_map_agreed() {
    let store = Store::new(Limits {
        max_entries: Some(20),
        ..Limits::default()
    });
    thread::scope(|scope| {
        for writer in 0..READERS {
            let store = &store;
            scope.spawn(move || {
                for i in 0..2_000 {
                    let key = format!("k{}", (i * 7 + writer) % 32);
                    match i % 5 {
                        0 => drop(store.delete(&key)),
                        _ => set(store, &key, &key),
                    }
                }
            });
        }
    });
    let items = all(&store);
    assert_eq!(items.len() as u64, store.size());
    assert_eq!(items.len(), store.map.len());
    for item in items {
        assert_eq!(get(&store, &item.key).as_deref(), Some(&*item.key));
    }
}
