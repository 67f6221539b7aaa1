//! The order is that of a JavaScript `Map`, also while it changes.

use super::*;

fn abc() -> Store {
    filled(Limits::default(), &[("a", "1"), ("b", "2"), ("c", "3")])
}

/// Iterates one item at a time and calls `step` after each with its key; returns what was visited.
fn visit(store: &Store, mut step: impl FnMut(&str)) -> String {
    let mut visited = Vec::new();
    let mut cursor = 0;
    while let Some(item) = store.next_batch(cursor, 1).pop() {
        assert!(visited.len() < 100, "the iteration does not end");
        cursor = item.cursor;
        visited.push(item.key.to_string());
        step(&item.key);
    }
    visited.join(" ")
}

#[test]
fn insertion_order() {
    let store = filled(Limits::default(), &[("z", "1"), ("a", "2"), ("m", "3")]);
    assert_eq!(keys(&store), "z a m");
}

#[test]
fn an_overwrite_keeps_its_place() {
    let store = abc();
    set(&store, "a", "new");
    assert_eq!(keys(&store), "a b c");
    assert_eq!(all(&store)[0].value, "new".into());
}

#[test]
fn delete_and_set_moves_to_the_end() {
    let store = abc();
    store.delete("a");
    set(&store, "a", "1");
    assert_eq!(keys(&store), "b c a");
}

#[test]
fn batches_of_every_size_join_to_the_same_items() {
    let store = abc();
    let whole = store.next_batch(0, 256);
    assert_eq!(whole.len(), 3);
    for n in 0..5 {
        let mut items: Vec<Item> = Vec::new();
        loop {
            let batch = store.next_batch(items.last().map_or(0, |item| item.cursor), n);
            if batch.is_empty() {
                break;
            }
            assert!(batch.len() <= n.max(1));
            items.extend(batch);
        }
        assert_eq!(items, whole);
    }
}

#[test]
fn an_iteration_resumes_behind_any_item_of_a_batch() {
    let store = abc();
    let batch = store.next_batch(0, 3);
    store.delete("b");
    set(&store, "c", "new");
    let rest = store.next_batch(batch[0].cursor, 3);
    assert_eq!(rest.len(), 1);
    assert_eq!((&*rest[0].key, &rest[0].value), ("c", &"new".into()));
}

#[test]
fn added_meanwhile_is_visited() {
    let store = abc();
    let visited = visit(&store, |key| {
        if key == "c" {
            set(&store, "d", "4");
        }
    });
    assert_eq!(visited, "a b c d");
}

#[test]
fn deleted_meanwhile_is_skipped() {
    let store = abc();
    let visited = visit(&store, |_| {
        store.delete("b");
    });
    assert_eq!(visited, "a c");
}

#[test]
fn overwritten_meanwhile_keeps_its_place() {
    let store = abc();
    let visited = visit(&store, |_| {
        set(&store, "a", "new");
        set(&store, "b", "new");
    });
    assert_eq!(visited, "a b c");
}

#[test]
fn deleted_and_set_again_is_visited_again() {
    let store = abc();
    let visited = visit(&store, |key| {
        if key == "b" {
            store.delete("a");
            set(&store, "a", "again");
        }
    });
    assert_eq!(visited, "a b c a");
}

#[test]
fn after_a_clear_goes_on_with_what_is_new() {
    let store = abc();
    let visited = visit(&store, |key| {
        if key == "b" {
            store.clear();
            set(&store, "x", "1");
            set(&store, "a", "2");
        }
    });
    assert_eq!(visited, "a b x a");
}

#[test]
fn a_clear_ends_it() {
    let store = abc();
    assert_eq!(visit(&store, |_| store.clear()), "a");
}

#[test]
fn an_end_is_an_end_only_for_now() {
    let store = abc();
    let last = store.next_batch(0, 3)[2].cursor;
    assert!(store.next_batch(last, 3).is_empty());
    set(&store, "d", "4");
    assert_eq!(&*store.next_batch(last, 3)[0].key, "d");
    assert!(store.next_batch(u64::MAX, 3).is_empty());
}
