use super::*;

#[test]
fn a_block_is_found_by_its_start_and_by_every_address_in_it() {
    let mut blocks = Blocks::default();
    let first = blocks.push(3).unwrap();
    let second = blocks.push(100).unwrap();
    assert_eq!(blocks.length(first), Some(3));
    assert_eq!(blocks.length(second), Some(100));
    assert_eq!(blocks.length(first + 1), None);
    assert_eq!(blocks.find(first + 2), Some((first, 3)));
    assert_eq!(blocks.find(first + 3), None);
    assert_eq!(blocks.find(second + 99), Some((second, 100)));
    assert_eq!(blocks.find(second + 100), None);
    assert_eq!(blocks.find(0), None);
    assert_eq!(blocks.find(u64::MAX), None);
}

#[test]
fn a_freed_block_is_none_and_its_memory_is_used_again() {
    let mut blocks = Blocks::default();
    let first = blocks.push(50).unwrap();
    let second = blocks.push(8).unwrap();
    assert!(blocks.free(first));
    assert!(!blocks.free(first));
    assert_eq!(blocks.length(first), None);
    assert_eq!(blocks.find(first), None);
    assert_eq!(blocks.reuse(57), None);
    assert_eq!(blocks.reuse(40), Some(first));
    assert_eq!(blocks.length(first), Some(40));
    assert_eq!(blocks.live_bytes(), 48);
    assert!(blocks.free(second));
    assert_eq!(blocks.push(1000), Some(second));
}

#[test]
fn a_released_block_stays_until_it_is_reclaimed() {
    let mut blocks = Blocks::default();
    let key = blocks.push(64).unwrap();
    blocks.push(64).unwrap();
    blocks.release(key);
    assert_eq!(blocks.live_bytes(), 64);
    assert_eq!(blocks.length(key), Some(64));
    assert_eq!(blocks.find(key + 63), Some((key, 64)));
    assert_eq!(blocks.reuse(64), None);
    assert!(blocks.reclaim());
    assert!(!blocks.reclaim());
    assert_eq!(blocks.length(key), None);
    assert_eq!(blocks.reuse(64), Some(key));
}

#[test]
fn a_released_block_can_be_freed() {
    let mut blocks = Blocks::default();
    let key = blocks.push(64).unwrap();
    blocks.release(key);
    assert!(blocks.free(key));
    assert!(!blocks.reclaim());
    assert_eq!(blocks.reuse(64), Some(key));
    assert_eq!(blocks.reuse(64), None);
}

/// As `var_get` and `free` of a Go plugin do with each key.
#[test]
fn a_block_that_is_released_freed_and_used_again_is_in_one_list() {
    let mut blocks = Blocks::default();
    for _ in 0..10_000 {
        let key = blocks.reuse(8).or_else(|| blocks.push(8)).unwrap();
        blocks.release(key);
        assert!(blocks.free(key));
    }
    assert_eq!(blocks.released.len(), 1);
    assert_eq!(blocks.blocks.len(), 1);
    let key = blocks.reuse(8).unwrap();
    assert!(blocks.free(key));
    assert!(!blocks.reclaim());
    assert_eq!(blocks.reuse(8), Some(key));
    assert_eq!(blocks.reuse(8), None);
}

#[test]
fn nothing_is_left_after_a_clear() {
    let mut blocks = Blocks::default();
    let first = blocks.push(10).unwrap();
    let second = blocks.push(10).unwrap();
    blocks.free(first);
    blocks.release(second);
    blocks.clear();
    assert_eq!(blocks.length(second), None);
    assert_eq!(blocks.reuse(10), None);
    assert!(!blocks.reclaim());
    assert_eq!(blocks.push(10), Some(first));
    assert_eq!(blocks.live_bytes(), 10);
}

#[test]
fn no_block_ends_beyond_what_can_be_addressed() {
    let mut blocks = Blocks::default();
    assert_eq!(blocks.push(END), None);
    assert_eq!(blocks.push(u64::MAX), None);
    assert!(blocks.push(END - 2 * FIRST).is_some());
    assert_eq!(blocks.push(1 << 20), None);
}

/// Against a plain list of ranges.
#[test]
fn random_operations_agree_with_a_model() {
    let mut blocks = Blocks::default();
    let mut model = std::collections::BTreeMap::<u64, u64>::new();
    let mut released = std::collections::BTreeSet::<u64>::new();
    let mut seed = 1u64;
    let mut random = |below: u64| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 33) % below
    };
    for _ in 0..20_000 {
        let known: Vec<_> = model.keys().copied().collect();
        match random(6) {
            4 if !known.is_empty() => {
                let start = known[random(known.len() as u64) as usize];
                blocks.release(start);
                released.insert(start);
            }
            5 if random(4) == 0 => {
                assert_eq!(blocks.reclaim(), !released.is_empty());
                for start in std::mem::take(&mut released) {
                    model.remove(&start);
                }
            }
            0 | 1 => {
                let length = random(300);
                let start = blocks
                    .reuse(length)
                    .or_else(|| blocks.push(length))
                    .unwrap();
                let overlaps = model.iter().any(|(&other, &size)| {
                    start < other + size.max(1) && other < start + length.max(1)
                });
                assert!(!overlaps, "{start} {length}");
                model.insert(start, length);
            }
            2 if !known.is_empty() => {
                let start = known[random(known.len() as u64) as usize];
                assert!(blocks.free(start));
                model.remove(&start);
                released.remove(&start);
            }
            _ => {
                let address = random(40_000);
                let expected = model.range(..=address).next_back();
                let expected = expected.filter(|(start, length)| address - *start < **length);
                assert_eq!(blocks.find(address), expected.map(|(a, b)| (*a, *b)));
                assert_eq!(blocks.length(address), model.get(&address).copied());
            }
        }
        let live = model.iter().filter(|(start, _)| !released.contains(start));
        assert_eq!(
            blocks.live_bytes(),
            live.map(|(_, length)| length).sum::<u64>()
        );
        assert!(blocks.released.len() <= blocks.blocks.len());
        if model.len() > 60 {
            blocks.clear();
            model.clear();
            released.clear();
        }
    }
}
