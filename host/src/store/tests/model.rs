//! Random operations on a store and on the model of one.

use super::map::Map;
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
    let mut model = Map::new(limits);
    let (mut cursor, mut next) = (0, 0);
    for _ in 0..1_500 {
        let key = format!("key{}", random.below(12));
        match random.below(100) {
            0..40 => {
                let value = value(&mut random);
                let set = store.set(&key, value.clone()).is_ok();
                model.expire(NOW.get());
                assert_eq!(set, model.set(&key, value, NOW.get()));
            }
            40..60 => {
                // A read sees expiry without being what drops the entry.
                let got = store.get(&key);
                model.expire(NOW.get());
                assert_eq!(got, model.get(&key));
            }
            60..65 => {
                model.expire(NOW.get());
                assert_eq!(store.has(&key), model.has(&key));
            }
            65..77 => {
                model.expire(NOW.get());
                assert_eq!(store.delete(&key), model.delete(&key));
            }
            77 => {
                model.expire(NOW.get());
                store.clear();
                model.clear();
            }
            78..85 => {
                pass(Duration::from_millis(random.below(40)));
                model.expire(NOW.get());
            }
            85..99 => {
                model.expire(NOW.get());
                let item = store.next_batch(cursor, 1).pop();
                cursor = item.as_ref().map_or(cursor, |item| item.cursor);
                let step = item.map(|item| (item.key.to_string(), item.value));
                let expected = model.after(next).next();
                next = expected.map_or(next, |(index, _)| index + 1);
                let expected =
                    expected.map(|(_, record)| (record.key.clone(), record.value.clone()));
                assert_eq!(step, expected);
            }
            _ => (cursor, next) = (0, 0),
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
