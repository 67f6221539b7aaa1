//! Each limit is kept, and counted.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn entries(max: u64) -> Limits {
    Limits {
        max_entries: Some(max),
        ..Limits::default()
    }
}

fn bytes(max: u64) -> Limits {
    Limits {
        max_bytes: Some(max),
        ..Limits::default()
    }
}

fn ttl(ttl: Duration) -> Limits {
    Limits {
        ttl: Some(ttl),
        ..Limits::default()
    }
}

#[test]
fn max_entries_evicts_the_oldest() {
    let store = filled(entries(2), &[("a", "1"), ("b", "2"), ("c", "3")]);
    assert_eq!((keys(&store).as_str(), store.stats().evictions), ("b c", 1));
    assert_eq!(get(&store, "a"), None);
}

#[test]
fn an_overwrite_at_max_entries_evicts_nothing() {
    let store = filled(entries(2), &[("a", "1"), ("b", "2"), ("a", "3")]);
    assert_eq!((keys(&store).as_str(), store.stats().evictions), ("a b", 0));
}

#[test]
fn delete_and_set_saves_an_entry_from_eviction() {
    let store = filled(entries(2), &[("a", "1"), ("b", "2")]);
    store.delete("a");
    set(&store, "a", "1");
    set(&store, "c", "3");
    assert_eq!(keys(&store), "a c");
}

#[test]
fn max_entries_0_counts_as_1() {
    let store = filled(entries(0), &[("a", "1"), ("b", "2")]);
    assert_eq!((keys(&store).as_str(), store.stats().evictions), ("b", 1));
}

#[test]
fn max_bytes_evicts_as_many_as_it_takes() {
    let store = filled(bytes(10), &[("a", "12"), ("b", "12"), ("c", "12")]);
    assert_eq!(store.stats().bytes, 9);
    set(&store, "d", "123");
    assert_eq!(keys(&store), "b c d");
    set(&store, "e", "123456");
    let stats = store.stats();
    assert_eq!(keys(&store), "e");
    assert_eq!((stats.bytes, stats.evictions), (7, 4));
}

#[test]
fn a_growing_entry_evicts_others_and_never_itself() {
    let store = filled(bytes(10), &[("a", "1"), ("b", "12"), ("c", "12")]);
    set(&store, "a", "123456");
    assert_eq!((keys(&store).as_str(), store.stats().evictions), ("a c", 1));
    set(&store, "a", "123456789");
    assert_eq!((keys(&store).as_str(), store.stats().evictions), ("a", 2));
}

#[test]
fn an_entry_of_exactly_max_bytes_fits() {
    let store = filled(bytes(3), &[("a", "12")]);
    assert_eq!(store.stats().bytes, 3);
    let empty = filled(bytes(0), &[("", "")]);
    assert_eq!(empty.size(), 1);
}

#[test]
fn what_is_too_large_is_refused_and_nothing_lost() {
    let store = filled(bytes(10), &[("key", "12"), ("b", "12")]);
    let before = (all(&store), store.stats());
    let refused = store.set("key", "12345678".into()).unwrap_err();
    assert_eq!(
        refused,
        TooLarge {
            key_bytes: 3,
            value_bytes: 8,
            max_bytes: 10
        }
    );
    assert!(store.set("new", "12345678".into()).is_err());
    assert_eq!((all(&store), store.stats()), before);
}

#[test]
fn an_entry_is_present_until_its_ttl_and_not_at_it() {
    let store = filled(ttl(SECOND), &[("a", "1")]);
    pass(SECOND - Duration::from_nanos(1));
    assert!(store.has("a") && store.get("a").is_some());
    pass(Duration::from_nanos(1));
    assert!(!store.has("a") && store.get("a").is_none());
    let stats = store.stats();
    assert_eq!((stats.hits, stats.misses), (1, 1));
    assert_eq!((stats.entries, stats.bytes, stats.expirations), (0, 0, 1));
}

#[test]
fn an_overwrite_refreshes_the_ttl() {
    let store = filled(ttl(2 * SECOND), &[("a", "1"), ("b", "2")]);
    pass(SECOND);
    set(&store, "a", "3");
    pass(SECOND);
    assert_eq!(keys(&store), "a");
    pass(SECOND);
    assert_eq!((store.size(), store.stats().expirations), (0, 2));
}

#[test]
fn a_read_does_not_refresh_the_ttl() {
    let store = filled(ttl(2 * SECOND), &[("a", "1")]);
    pass(SECOND);
    store.get("a");
    pass(SECOND);
    assert!(!store.has("a"));
}

#[test]
fn every_write_treats_an_expired_entry_as_absent() {
    let store = filled(ttl(SECOND), &[("a", "1"), ("b", "2")]);
    pass(SECOND);
    set(&store, "c", "3");
    set(&store, "a", "4");
    assert_eq!(keys(&store), "c a");
    assert!(!store.delete("b"));
    pass(SECOND);
    store.clear();
    assert_eq!(store.stats().expirations, 4);
}

#[test]
fn an_iteration_skips_what_expires_meanwhile() {
    let store = filled(ttl(2 * SECOND), &[("a", "1"), ("b", "2")]);
    pass(SECOND);
    set(&store, "c", "3");
    let first = store.next_batch(0, 1).remove(0);
    pass(SECOND);
    let rest = store.next_batch(first.cursor, 3);
    assert_eq!((rest.len(), &*rest[0].key), (1, "c"));
}

#[test]
fn what_expires_makes_room_before_anything_is_evicted() {
    let limits = Limits {
        max_entries: Some(2),
        ..ttl(2 * SECOND)
    };
    let store = filled(limits, &[("old", "1"), ("expiring", "2")]);
    pass(SECOND);
    set(&store, "old", "3");
    pass(SECOND);
    set(&store, "new", "4");
    let stats = store.stats();
    assert_eq!(keys(&store), "old new");
    assert_eq!((stats.evictions, stats.expirations), (0, 1));
}

#[test]
fn the_extremes_of_ttl_are_at_once_and_never() {
    let at_once = filled(ttl(Duration::ZERO), &[("a", "1")]);
    assert!(!at_once.has("a"));
    let never = filled(ttl(Duration::MAX), &[("a", "1")]);
    pass(1_000_000 * SECOND);
    assert!(never.has("a"));
}
