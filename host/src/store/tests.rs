mod bounds;
mod concurrency;
mod iteration;
mod map;
mod model;

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::*;

thread_local! {
    static NOW: Cell<Instant> = Cell::new(Instant::now());
}

/// A store whose clock stands still until [`pass`] is called on the same thread.
fn store(limits: Limits) -> Store {
    Store::with_clock(limits, || NOW.get())
}

fn unbounded() -> Store {
    store(Limits::default())
}

fn filled(limits: Limits, pairs: &[(&str, &str)]) -> Store {
    let store = store(limits);
    for (key, text) in pairs {
        set(&store, key, text);
    }
    store
}

fn pass(time: Duration) {
    NOW.set(NOW.get() + time);
}

fn set(store: &Store, key: &str, text: &str) {
    store.set(key, text.into()).unwrap();
}

fn get(store: &Store, key: &str) -> Option<String> {
    let value = store.get(key)?;
    Some(String::from_utf8(value.as_bytes().to_vec()).unwrap())
}

fn all(store: &Store) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    loop {
        assert!(items.len() < 10_000, "the iteration does not end");
        let cursor = items.last().map_or(0, |item| item.cursor);
        match store.next_batch(cursor, 3) {
            batch if batch.is_empty() => return items,
            batch => items.extend(batch),
        }
    }
}

fn keys(store: &Store) -> String {
    let keys: Vec<_> = all(store).iter().map(|item| item.key.to_string()).collect();
    keys.join(" ")
}

#[test]
fn a_value_comes_out_as_it_was_put_in() {
    let store = unbounded();
    store.set("text", Value::from("é")).unwrap();
    store.set("bytes", Value::from("é".as_bytes())).unwrap();
    store.set("", Value::from("")).unwrap();
    assert_eq!(store.get("text"), Some(Value::Text("é".into())));
    assert_eq!(
        store.get("bytes"),
        Some(Value::Bytes([0xc3, 0xa9].as_slice().into()))
    );
    assert_eq!(store.get(""), Some(Value::Text("".into())));
    assert_eq!(store.get("absent"), None);
}

#[test]
fn an_overwrite_replaces_value_and_kind() {
    let store = filled(Limits::default(), &[("k", "old")]);
    store.set("k", Value::from([0xff].as_slice())).unwrap();
    assert_eq!(store.get("k"), Some(Value::Bytes([0xff].as_slice().into())));
    assert_eq!((store.size(), store.stats().bytes), (1, 2));
}

#[test]
fn delete_tells_whether_the_key_was_present() {
    let store = filled(Limits::default(), &[("a", "1"), ("b", "2")]);
    assert!(store.delete("a"));
    assert!(!store.delete("a"));
    assert!(!store.has("a"));
    assert_eq!(get(&store, "a"), None);
    assert_eq!((keys(&store).as_str(), store.size()), ("b", 1));
}

#[test]
fn clear_leaves_nothing() {
    let store = filled(Limits::default(), &[("a", "1"), ("b", "2")]);
    store.clear();
    assert_eq!(store.stats(), Stats::default());
    assert!(!store.has("a") && !store.has("b"));
    set(&store, "a", "3");
    assert_eq!(get(&store, "a").as_deref(), Some("3"));
}

#[test]
fn get_counts_hits_and_misses_and_has_counts_neither() {
    let store = filled(Limits::default(), &[("a", "1")]);
    store.get("a");
    store.get("a");
    store.get("b");
    store.has("a");
    store.has("b");
    all(&store);
    let stats = store.stats();
    assert_eq!((stats.hits, stats.misses), (2, 1));
}

#[test]
fn bytes_are_those_of_keys_and_values() {
    let store = filled(Limits::default(), &[("é", "12"), ("b", "1234")]);
    assert_eq!(store.stats().bytes, 4 + 5);
    set(&store, "é", "");
    assert_eq!(store.stats().bytes, 2 + 5);
    store.delete("b");
    assert_eq!(store.stats().bytes, 2);
}

#[test]
fn what_is_removed_gives_its_memory_back_at_once() {
    let store = store(Limits {
        max_entries: Some(1),
        ttl: Some(Duration::from_secs(1)),
        ..Limits::default()
    });
    let removals: [fn(&Store); 5] = [
        |store| set(store, "large", "overwritten"),
        |store| set(store, "other", "evicts"),
        |store| assert!(store.delete("large")),
        |store| store.clear(),
        |store| {
            pass(Duration::from_secs(1));
            assert_eq!(store.size(), 0);
        },
    ];
    for remove in removals {
        let large: Arc<[u8]> = vec![0; RECLAIM_BYTES as usize].into();
        store.set("large", Value::Bytes(large.clone())).unwrap();
        remove(&store);
        assert_eq!(Arc::strong_count(&large), 1);
    }
}

#[test]
fn a_poisoned_lock_is_recovered() {
    let store = filled(Limits::default(), &[("a", "1")]);
    thread::scope(|scope| {
        let panicking = scope.spawn(|| {
            let _order = store.order.lock();
            panic!("while the lock is held");
        });
        assert!(panicking.join().is_err());
    });
    assert!(store.order.is_poisoned());
    set(&store, "b", "2");
    assert_eq!(keys(&store), "a b");
}
