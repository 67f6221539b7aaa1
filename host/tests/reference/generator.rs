//! Guests that do at random what the environment allows, within their blocks.

use crate::common::Random;
use crate::common::source::SERVICES;
use crate::corpus::Case;

const SLOTS: u64 = 8;
const FUNCTIONS: usize = 4;
const OPERATIONS: usize = 60;

/// What the generator knows of the block in a slot.
#[derive(Clone, Copy)]
struct Slot {
    length: u64,
    /// It is the output or the error, and stays as it is.
    kept: bool,
}

struct Generator {
    random: Random,
    slots: [Option<Slot>; SLOTS as usize],
    text: String,
}

/// Helpers: `$fill` writes a whole block, `$mix` makes one number of all that was seen.
const HELPERS: &str = r#"
  (global $seen (mut i64) (i64.const 0))
  (func $mix (param $n i64)
    (global.set $seen (i64.add (i64.rotl (global.get $seen) (i64.const 5)) (local.get $n))))
  (func $fill (param $p i64) (param $n i64) (param $with i32) (result i64)
    (loop $l
      (local.set $n (i64.sub (local.get $n) (i64.const 1)))
      (call $store_u8 (i64.add (local.get $p) (local.get $n))
        (i32.add (local.get $with) (i32.and (i32.wrap_i64 (local.get $n)) (i32.const 15))))
      (br_if $l (i64.ne (local.get $n) (i64.const 0))))
    (local.get $p))
  (func $key (param $char i32) (result i64)
    (call $fill (call $alloc (i64.const 1)) (i64.const 1) (local.get $char)))
  ;; A value that the host gave.
  (func $look (param $p i64)
    (local $i i64)
    (if (i64.eqz (local.get $p)) (then (call $mix (i64.const 77)) (return)))
    (call $mix (call $length (local.get $p)))
    (loop $l
      (call $mix (i64.extend_i32_u (call $load_u8 (i64.add (local.get $p) (local.get $i)))))
      (br_if $l (i64.lt_u
        (local.tee $i (i64.add (local.get $i) (i64.const 1)))
        (call $length (local.get $p)))))
    (call $free (local.get $p)))
  (func (export "seen") (local $p i64)
    (local.set $p (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $p) (global.get $seen))
    (call $output_set (local.get $p) (i64.const 8)))"#;

/// One module with a few functions, each of which is called a few times.
pub fn case(seed: u64) -> Case {
    let mut random = Random(seed);
    let mut functions = String::new();
    let mut calls = Vec::new();
    for number in 0..FUNCTIONS {
        let mut generator = Generator {
            random: Random(random.below(1 << 30)),
            slots: [None; SLOTS as usize],
            text: String::new(),
        };
        for _ in 0..OPERATIONS {
            generator.operation();
        }
        let locals = "i64 ".repeat(SLOTS as usize);
        let body = generator.text;
        functions += &format!("(func (export \"run{number}\") (local {locals})\n{body})\n");
    }
    for _ in 0..12 {
        let input: Vec<_> = (0..random.below(40))
            .map(|_| random.below(256) as u8)
            .collect();
        calls.push((format!("run{}", random.below(FUNCTIONS as u64)), input));
        calls.push(("seen".to_owned(), Vec::new()));
    }
    let text = format!("(module {SERVICES} {HELPERS}\n{functions})");
    Case::new(&format!("generated with seed {seed}"), &text, calls)
}

impl Generator {
    fn add(&mut self, code: String) {
        self.text += &code;
        self.text.push('\n');
    }

    /// A slot with a block, if the random choice has one.
    fn block(&mut self) -> Option<(usize, Slot)> {
        let slot = self.random.below(SLOTS) as usize;
        Some((slot, self.slots[slot]?))
    }

    /// The same, of which the block may change or go.
    fn own_block(&mut self) -> Option<(usize, Slot)> {
        self.block().filter(|(_, slot)| !slot.kept)
    }

    fn operation(&mut self) -> Option<()> {
        match self.random.below(14) {
            0..=2 => self.alloc(),
            3 => {
                let (slot, _) = self.own_block()?;
                self.slots[slot] = None;
                self.add(format!("(call $free (local.get {slot}))"));
            }
            4 => {
                let (slot, Slot { length, .. }) = self.own_block()?;
                let (offset, value) = (self.random.below(length), 32 + self.random.below(90));
                self.add(format!("(call $store_u8 (i64.add (local.get {slot}) (i64.const {offset})) (i32.const {value}))"));
            }
            5 => {
                let (slot, Slot { length, .. }) = self.own_block()?;
                let offset = self.random.below(length.checked_sub(8)? + 1);
                let value = 0x2020_2020_2020_2020 + self.random.below(1 << 31);
                self.add(format!("(call $store_u64 (i64.add (local.get {slot}) (i64.const {offset})) (i64.and (i64.const {value}) (i64.const 0x7f7f7f7f7f7f7f7f)))"));
            }
            6 => {
                let (slot, Slot { length, .. }) = self.block()?;
                let offset = self.random.below(length);
                self.add(format!("(call $mix (i64.extend_i32_u (call $load_u8 (i64.add (local.get {slot}) (i64.const {offset})))))"));
            }
            7 => {
                let (slot, Slot { length, .. }) = self.block()?;
                let offset = self.random.below(length.checked_sub(8)? + 1);
                self.add(format!(
                    "(call $mix (call $load_u64 (i64.add (local.get {slot}) (i64.const {offset}))))"
                ));
            }
            8 => {
                let (slot, _) = self.block()?;
                let function = ["length", "length_unsafe"][self.random.below(2) as usize];
                self.add(format!("(call $mix (call ${function} (local.get {slot})))"));
            }
            9 => {
                let (slot, Slot { length, .. }) = self.own_block()?;
                let offset = self.random.below(length);
                let length = 1 + self.random.below(length - offset);
                self.keep(slot);
                self.add(format!("(call $output_set (i64.add (local.get {slot}) (i64.const {offset})) (i64.const {length}))"));
            }
            10 => self.variable()?,
            11 => {
                let key = ["(i32.const 107)", "(i32.const 65)"][self.random.below(2) as usize];
                self.add(format!("(call $look (call $config_get (call $key {key})))"));
            }
            12 => {
                let (slot, _) = self.own_block()?;
                self.slots[slot] = None;
                self.add(format!("(call $log_info (local.get {slot}))"));
            }
            _ => self.input_or_error()?,
        }
        Some(())
    }

    fn keep(&mut self, slot: usize) {
        if let Some(slot) = &mut self.slots[slot] {
            slot.kept = true;
        }
    }

    fn alloc(&mut self) {
        let slot = self.random.below(SLOTS) as usize;
        let length = match self.random.below(12) {
            0 => 1 + self.random.below(100_000),
            _ => 1 + self.random.below(200),
        };
        // What was there is never freed, as with many guests.
        self.slots[slot] = Some(Slot {
            length,
            kept: false,
        });
        let with = 32 + self.random.below(80);
        self.add(format!("(local.set {slot} (call $fill (call $alloc (i64.const {length})) (i64.const {length}) (i32.const {with})))"));
    }

    fn variable(&mut self) -> Option<()> {
        let key = format!("(call $key (i32.const {}))", 97 + self.random.below(4));
        match self.random.below(4) {
            0 => {
                let (slot, Slot { length, .. }) = self.own_block()?;
                if length < 10_000 {
                    self.slots[slot] = None;
                    self.add(format!("(call $var_set {key} (local.get {slot}))"));
                }
            }
            1 => self.add(format!("(call $var_set {key} (i64.const 0))")),
            _ => self.add(format!("(call $look (call $var_get {key}))")),
        }
        Some(())
    }

    fn input_or_error(&mut self) -> Option<()> {
        let offset = self.random.below(45);
        match self.random.below(12) {
            0 => {
                let (slot, Slot { length, .. }) = self.own_block()?;
                if length < 10_000 {
                    self.keep(slot);
                    self.add(format!("(call $error_set (local.get {slot}))"));
                }
            }
            1 => self.add("(call $error_set (i64.const 0))".to_owned()),
            2 => self.add("(call $mix (call $input_length))".to_owned()),
            3 => self.add("(if (i64.ne (call $input_length) (i64.const 0)) (then (call $output_set (call $input_offset) (call $input_length))))".to_owned()),
            4..=7 => self.add(format!("(call $mix (i64.extend_i32_u (call $input_load_u8 (i64.const {offset}))))")),
            _ => self.add(format!("(call $mix (call $input_load_u64 (i64.const {offset})))")),
        }
        Some(())
    }
}
