//! Writes generated modules, which differential.js runs:
//!
//!   smith compare|any SEED COUNT
//!
//! Each is made of one number, SEED and those that follow, and is alone with it the same. A module
//! is written after its length, four bytes. With `compare`, slots.wat comes first of all, and each
//! module is followed by the one around it.

use std::io::{self, Write};

use arbitrary::{Result, Unstructured};
use extism_napi_fuzz::{SLOTS, around, comparable, hostile};

/// Splitmix64, Steele and others 2014.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The first module that comes of this number.
fn first(random: &mut Random, make: fn(&mut Unstructured) -> Result<Vec<u8>>) -> Vec<u8> {
    loop {
        let length = 512 + random.next() % 4096;
        let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        if let Ok(module) = make(&mut Unstructured::new(&bytes)) {
            return module;
        }
    }
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("smith compare|any SEED COUNT");
    let compares = argument() == "compare";
    let mut number = || argument().parse::<u64>().expect("a number");
    let (seed, count) = (number(), number());
    let mut out = io::stdout().lock();
    let mut write = |module: &[u8]| {
        out.write_all(&(module.len() as u32).to_le_bytes())?;
        out.write_all(module)
    };
    if compares {
        write(&wat::parse_str(SLOTS).expect("slots.wat is valid"))?;
    }
    for seed in seed..seed + count {
        let mut random = Random(seed);
        let module = first(&mut random, if compares { comparable } else { hostile });
        write(&module)?;
        if compares {
            write(&around(&module, || random.next()))?;
        }
    }
    Ok(())
}
