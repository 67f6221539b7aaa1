//! A store and the list that ECMAScript defines a `Map` by, side by side.

use std::cell::Cell;
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;

use crate::store::{Item, Limits, Stats, Store, Value};

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

struct Record {
    key: String,
    value: Value,
    deadline: Option<Instant>,
}

impl Record {
    fn bytes(&self) -> u64 {
        (self.key.len() + self.value.as_bytes().len()) as u64
    }
}

/// What is removed leaves a hole, an iterator is an index.
#[derive(Default)]
struct Model {
    limits: Limits,
    records: Vec<Option<Record>>,
    stats: Stats,
}

impl Model {
    fn live(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().flatten()
    }

    fn find(&self, key: &str) -> Option<usize> {
        let is_key = |hole: &Option<Record>| hole.as_ref().is_some_and(|record| record.key == key);
        self.records.iter().position(is_key)
    }

    fn expire(&mut self) {
        let now = NOW.get();
        for hole in &mut self.records {
            if hole
                .take_if(|record| record.deadline.is_some_and(|at| at <= now))
                .is_some()
            {
                self.stats.expirations += 1;
            }
        }
    }

    fn exceeds(&self) -> bool {
        let Stats { entries, bytes, .. } = self.stats();
        self.limits
            .max_entries
            .is_some_and(|max| entries > max.max(1))
            || self.limits.max_bytes.is_some_and(|max| bytes > max)
    }

    fn set(&mut self, key: &str, value: Value) -> bool {
        let record = Record {
            key: key.to_owned(),
            value,
            deadline: self.limits.ttl.map(|ttl| NOW.get() + ttl),
        };
        if self
            .limits
            .max_bytes
            .is_some_and(|max| record.bytes() > max)
        {
            return false;
        }
        match self.find(key) {
            Some(at) => self.records[at] = Some(record),
            None => self.records.push(Some(record)),
        }
        while self.exceeds() {
            let other =
                |hole: &&mut Option<Record>| hole.as_ref().is_some_and(|record| record.key != key);
            *self.records.iter_mut().find(other).unwrap() = None;
            self.stats.evictions += 1;
        }
        true
    }

    fn stats(&self) -> Stats {
        Stats {
            entries: self.live().count() as u64,
            bytes: self.live().map(Record::bytes).sum(),
            ..self.stats
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
            model: Model {
                limits,
                ..Model::default()
            },
            iterators: Default::default(),
        };
        for step in self.steps {
            both.step(step);
            both.model.expire();
            assert_eq!(both.store.stats(), both.model.stats());
            assert_eq!(both.store.size(), both.model.stats().entries);
        }
        both.compare_all();
    }
}

struct Both {
    store: Store,
    model: Model,
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
                self.model.expire();
                let at = self.model.find(&key.text());
                let value = at.and_then(|at| self.model.records[at].as_ref());
                assert_eq!(got.as_ref(), value.map(|record| &record.value));
                match got {
                    Some(_) => self.model.stats.hits += 1,
                    None => self.model.stats.misses += 1,
                }
            }
            Step::Has(key) => {
                let has = self.store.has(&key.text());
                self.model.expire();
                assert_eq!(has, self.model.find(&key.text()).is_some());
            }
            Step::Delete(key) => {
                let deleted = self.store.delete(&key.text());
                self.model.expire();
                let at = self.model.find(&key.text());
                assert_eq!(
                    deleted,
                    at.and_then(|at| self.model.records[at].take()).is_some()
                );
            }
            Step::Clear => {
                self.store.clear();
                self.model.expire();
                self.model.records.iter_mut().for_each(|hole| *hole = None);
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
        self.model.expire();
        assert_eq!(set, self.model.set(key, value));
    }

    fn next(&mut self, iterator: u8, count: u8, resume: u8) {
        let place = &mut self.iterators[usize::from(iterator) % ITERATORS];
        let batch = self.store.next_batch(place.cursor, usize::from(count));
        self.model.expire();
        let rest = self.model.records.iter().enumerate().skip(place.index);
        let rest = rest.filter_map(|(index, hole)| Some((index, hole.as_ref()?)));
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
