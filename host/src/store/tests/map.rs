//! The list that ECMAScript defines a `Map` by, with the limits of a store: what is removed leaves
//! a hole, an iterator is an index. The fuzz targets take this in as well.

use std::time::Instant;

use crate::store::{Limits, Stats, Value};

pub struct Record {
    pub key: String,
    pub value: Value,
    deadline: Option<Instant>,
}

impl Record {
    fn bytes(&self) -> u64 {
        (self.key.len() + self.value.as_bytes().len()) as u64
    }
}

#[derive(Default)]
pub struct Map {
    limits: Limits,
    records: Vec<Option<Record>>,
    stats: Stats,
}

impl Map {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    pub fn live(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().flatten()
    }

    /// What an iterator at `index` has still to visit, and where each of it is.
    pub fn after(&self, index: usize) -> impl Iterator<Item = (usize, &Record)> {
        let rest = self.records.iter().enumerate().skip(index);
        rest.filter_map(|(index, hole)| Some((index, hole.as_ref()?)))
    }

    /// Drops what is over by now, which a store does whenever it is asked for something.
    pub fn expire(&mut self, now: Instant) {
        let is_over = |record: &mut Record| record.deadline.is_some_and(|at| at <= now);
        let holes = self.records.iter_mut();
        let expired = holes.filter_map(|hole| hole.take_if(is_over)).count();
        self.stats.expirations += expired as u64;
    }

    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    pub fn get(&mut self, key: &str) -> Option<Value> {
        let record = self.live().find(|record| record.key == key);
        let found = record.map(|record| record.value.clone());
        match found {
            Some(_) => self.stats.hits += 1,
            None => self.stats.misses += 1,
        }
        found
    }

    /// Whether it could be set.
    pub fn set(&mut self, key: &str, value: Value, now: Instant) -> bool {
        let record = Record {
            key: key.to_owned(),
            value,
            deadline: self.limits.ttl.map(|ttl| now + ttl),
        };
        let bytes = record.bytes();
        if self.limits.max_bytes.is_some_and(|max| bytes > max) {
            return false;
        }
        match self.find(key) {
            Some(at) => self.records[at] = Some(record),
            None => self.records.push(Some(record)),
        }
        while self.exceeds() {
            let is_other = |record: &mut Record| record.key != key;
            let mut others = self.records.iter_mut();
            let evicted = others.find_map(|hole| hole.take_if(is_other));
            assert!(evicted.is_some(), "nothing is left to evict");
            self.stats.evictions += 1;
        }
        true
    }

    pub fn delete(&mut self, key: &str) -> bool {
        let at = self.find(key);
        at.and_then(|at| self.records[at].take()).is_some()
    }

    pub fn clear(&mut self) {
        self.records.iter_mut().for_each(|hole| *hole = None);
    }

    pub fn stats(&self) -> Stats {
        Stats {
            entries: self.live().count() as u64,
            bytes: self.live().map(Record::bytes).sum(),
            ..self.stats
        }
    }

    fn find(&self, key: &str) -> Option<usize> {
        let is_key = |hole: &Option<Record>| hole.as_ref().is_some_and(|record| record.key == key);
        self.records.iter().position(is_key)
    }

    fn exceeds(&self) -> bool {
        let Stats { entries, bytes, .. } = self.stats();
        let Limits {
            max_entries,
            max_bytes,
            ..
        } = self.limits;
        max_entries.is_some_and(|max| entries > max.max(1))
            || max_bytes.is_some_and(|max| bytes > max)
    }
}
