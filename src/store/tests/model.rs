//! Random operations on a store and on the list that ECMAScript defines a `Map` by: what is removed
//! leaves a hole, an iterator is an index.

use super::*;

/// Xorshift64, Marsaglia 2003.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
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

#[derive(Default)]
struct Model {
    limits: Limits,
    records: Vec<Option<Record>>,
    next: usize,
    stats: Stats,
}

impl Model {
    fn live(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().flatten()
    }

    fn find(&self, key: &str) -> Option<usize> {
        let is_key = |record: &Option<Record>| record.as_ref().is_some_and(|r| r.key == key);
        self.records.iter().position(is_key)
    }

    fn expire(&mut self) {
        for hole in &mut self.records {
            let expired = |r: &Record| r.deadline.is_some_and(|at| at <= NOW.get());
            if hole.as_ref().is_some_and(expired) {
                *hole = None;
                self.stats.expirations += 1;
            }
        }
    }

    fn get(&mut self, key: &str) -> Option<Value> {
        let found = self.live().find(|r| r.key == key).map(|r| r.value.clone());
        match found {
            Some(_) => self.stats.hits += 1,
            None => self.stats.misses += 1,
        }
        found
    }

    fn set(&mut self, key: &str, value: Value) -> bool {
        let record = Record {
            key: key.into(),
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
        while self
            .limits
            .max_entries
            .is_some_and(|max| self.live().count() as u64 > max)
            || self
                .limits
                .max_bytes
                .is_some_and(|max| self.live().map(Record::bytes).sum::<u64>() > max)
        {
            let other = |hole: &&mut Option<Record>| hole.as_ref().is_some_and(|r| r.key != key);
            *self.records.iter_mut().find(other).unwrap() = None;
            self.stats.evictions += 1;
        }
        true
    }

    fn delete(&mut self, key: &str) -> bool {
        self.find(key).map(|at| self.records[at] = None).is_some()
    }

    fn clear(&mut self) {
        self.records.iter_mut().for_each(|hole| *hole = None);
    }

    fn step(&mut self) -> Option<(String, Value)> {
        while let Some(hole) = self.records.get(self.next) {
            self.next += 1;
            if let Some(record) = hole {
                return Some((record.key.clone(), record.value.clone()));
            }
        }
        None
    }

    fn stats(&self) -> Stats {
        Stats {
            entries: self.live().count() as u64,
            bytes: self.live().map(Record::bytes).sum(),
            ..self.stats
        }
    }
}

fn value(random: &mut Random) -> Value {
    let text = "x".repeat(random.below(24) as usize);
    match random.below(2) {
        0 => Value::from(text.as_str()),
        _ => Value::from(text.as_bytes()),
    }
}

fn compare(limits: Limits, seed: u64) {
    // Small seeds would leave the first numbers small.
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let store = store(limits);
    let mut model = Model {
        limits,
        ..Model::default()
    };
    let mut cursor = 0;
    for _ in 0..1_500 {
        let key = format!("key{}", random.below(12));
        match random.below(100) {
            0..40 => {
                let value = value(&mut random);
                let set = store.set(&key, value.clone()).is_ok();
                model.expire();
                assert_eq!(set, model.set(&key, value));
            }
            40..60 => {
                // A read sees expiry without being what drops the entry.
                let got = store.get(&key);
                model.expire();
                assert_eq!(got, model.get(&key));
            }
            60..65 => {
                model.expire();
                assert_eq!(store.has(&key), model.find(&key).is_some());
            }
            65..77 => {
                model.expire();
                assert_eq!(store.delete(&key), model.delete(&key));
            }
            77 => {
                model.expire();
                store.clear();
                model.clear();
            }
            78..85 => {
                pass(Duration::from_millis(random.below(40)));
                model.expire();
            }
            85..99 => {
                model.expire();
                let item = store.next_batch(cursor, 1).pop();
                cursor = item.as_ref().map_or(cursor, |item| item.cursor);
                let step = item.map(|item| (item.key.to_string(), item.value));
                assert_eq!(step, model.step());
            }
            _ => (cursor, model.next) = (0, 0),
        }
        assert_eq!(store.stats(), model.stats());
        assert_eq!(store.size(), model.stats().entries);
    }
    let items = all(&store).into_iter();
    let items: Vec<_> = items
        .map(|item| (item.key.to_string(), item.value))
        .collect();
    let records: Vec<_> = model
        .live()
        .map(|r| (r.key.clone(), r.value.clone()))
        .collect();
    assert_eq!(items, records);
    assert_eq!(store.map.len(), records.len());
}

#[test]
fn a_store_does_what_the_model_does() {
    let ttl = Some(Duration::from_millis(100));
    for max_entries in [None, Some(1), Some(6)] {
        for max_bytes in [None, Some(20), Some(100)] {
            for ttl in [None, ttl] {
                let limits = Limits {
                    max_entries,
                    max_bytes,
                    ttl,
                };
                (1..=5).for_each(|seed| compare(limits, seed));
            }
        }
    }
}
