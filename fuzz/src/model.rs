//! A store and the model of one, side by side.

use std::cell::Cell;
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;

use crate::map::{Map, Record};
use crate::store::{Item, Limits, Store, Value};

thread_local! {
    static NOW: Cell<Instant> = Cell::new(Instant::now());
}

const ITERATORS: usize = 4;

/// What is done to a store with these limits.
#[derive(Arbitrary, Debug)]
pub struct Script {
    max_entries: Option<u8>,
    max_bytes: Option<u16>,
    ttl_ms: Option<u8>,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Set(Key, String),
    SetBytes(Key, Vec<u8>),
    SetLarge(Key, u32),
    Get(Key),
    Has(Key),
    Delete(Key),
    Clear,
    Pass(u8),
    /// The iterator takes this many at once, and goes on behind one of them.
    Next(u8, u8, u8),
    Restart(u8),
}

#[derive(Arbitrary, Debug)]
enum Key {
    Known(u8),
    Any(String),
}

impl Key {
    fn text(&self) -> String {
        match self {
            Key::Known(number) => format!("key{}", number % 16),
            Key::Any(text) => text.clone(),
        }
    }
}

/// The same iterator of both.
#[derive(Clone, Copy, Default)]
struct Place {
    cursor: u64,
    index: usize,
}

impl Script {
    /// Does to a store and to its model what the script says, and compares them at each step.
    pub fn run(self) {
        let limits = Limits {
            max_entries: self.max_entries.map(u64::from),
            max_bytes: self.max_bytes.map(u64::from),
            ttl: self.ttl_ms.map(|ms| Duration::from_millis(u64::from(ms))),
        };
        let mut both = Both {
            store: Store::with_clock(limits, || NOW.get()),
            model: Map::new(limits),
            iterators: Default::default(),
        };
        for step in self.steps {
            both.step(step);
            both.model.expire(NOW.get());
            assert_eq!(both.store.stats(), both.model.stats());
            assert_eq!(both.store.size(), both.model.stats().entries);
        }
        both.compare_all();
    }
}

struct Both {
    store: Store,
    model: Map,
    iterators: [Place; ITERATORS],
}

impl Both {
    fn step(&mut self, step: Step) {
        match step {
            Step::Set(key, text) => self.set(&key.text(), text.as_str().into()),
            Step::SetBytes(key, bytes) => self.set(&key.text(), bytes.as_slice().into()),
            Step::SetLarge(key, length) => {
                let bytes = vec![0; length as usize % 100_000];
                self.set(&key.text(), bytes.as_slice().into());
            }
            Step::Get(key) => {
                // A read sees that time is up without being what drops the entry.
                let got = self.store.get(&key.text());
                self.model.expire(NOW.get());
                assert_eq!(got, self.model.get(&key.text()));
            }
            Step::Has(key) => {
                let has = self.store.has(&key.text());
                self.model.expire(NOW.get());
                assert_eq!(has, self.model.has(&key.text()));
            }
            Step::Delete(key) => {
                let deleted = self.store.delete(&key.text());
                self.model.expire(NOW.get());
                assert_eq!(deleted, self.model.delete(&key.text()));
            }
            Step::Clear => {
                self.store.clear();
                self.model.expire(NOW.get());
                self.model.clear();
            }
            Step::Pass(ms) => NOW.set(NOW.get() + Duration::from_millis(u64::from(ms))),
            Step::Next(iterator, count, resume) => self.next(iterator, count, resume),
            Step::Restart(iterator) => {
                self.iterators[usize::from(iterator) % ITERATORS] = Place::default();
            }
        }
    }

    fn set(&mut self, key: &str, value: Value) {
        let set = self.store.set(key, value.clone()).is_ok();
        // What is refused changes nothing, and drops nothing that is over either.
        self.model.expire(NOW.get());
        assert_eq!(set, self.model.set(key, value, NOW.get()));
    }

    fn next(&mut self, iterator: u8, count: u8, resume: u8) {
        let place = &mut self.iterators[usize::from(iterator) % ITERATORS];
        let batch = self.store.next_batch(place.cursor, usize::from(count));
        self.model.expire(NOW.get());
        let rest = self.model.after(place.index);
        let expected: Vec<_> = rest.take(usize::from(count).max(1)).collect();
        let expected_items: Vec<_> = expected.iter().map(|(_, record)| pair(record)).collect();
        assert_eq!(Vec::from_iter(batch.iter().map(visited)), expected_items);
        if !batch.is_empty() {
            let at = usize::from(resume) % batch.len();
            *place = Place {
                cursor: batch[at].cursor,
                index: expected[at].0 + 1,
            };
        }
    }

    fn compare_all(&self) {
        let items = self.store.next_batch(0, usize::MAX);
        let records: Vec<_> = self.model.live().map(pair).collect();
        assert_eq!(Vec::from_iter(items.iter().map(visited)), records);
    }
}

fn visited(item: &Item) -> (&str, &Value) {
    (&item.key, &item.value)
}

fn pair(record: &Record) -> (&str, &Value) {
    (&record.key, &record.value)
}
