//! The same guests on `extism::Plugin` and on this host: outputs, errors and variables are the same
//! over series of calls.
//!
//! Intended differences, which the corpus leaves out or the last test here shows:
//!
//! - After a trap, an exit or a stop, the next call runs on a fresh instance. The reference goes on
//!   with the one that broke off.
//! - Exit codes from 126 on, and negative ones, are exit codes. The reference fails with another
//!   error.
//! - A store outside of every block of the guest's ends the call. The reference lets a guest write
//!   to its headers and to free blocks.
//! - An output or an error that is not a block ends the call. The reference trusts the numbers.
//! - An output of no bytes takes back the one before. The reference leaves that where the address is
//!   0.
//! - Keys, values and messages stay readable after they were handed over, until their memory is
//!   needed. The reference frees them at once.
//! - An error's text is read when it is set. The reference reads it after the call.
//! - Bytes of an error or a message that are not UTF-8 are replaced. The reference fails.
//! - An empty error is an error. The reference does not see it.
//! - The values of offsets, and what is in a block that nobody has written to.
//! - Start code runs once, and may use blocks. The reference runs start sections twice, and a block
//!   there ends its process.
//! - A variable that is too large fails the call with the error of the guest. The reference traps.
//! - Guests of 2023 run; the reference has nothing for them.
//! - Functions with other signatures than `() -> ()` and `() -> i32` are not there, unless they are
//!   asked for. The reference runs some and fails.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at what it does not expect"
)]

mod common;
#[path = "reference/corpus.rs"]
mod corpus;
#[path = "reference/ends.rs"]
mod ends;
#[path = "reference/generator.rs"]
mod generator;
#[path = "reference/runs.rs"]
mod runs;

use corpus::Case;
use runs::{Ours, Seen, Theirs};

/// Runs a series of calls on both.
fn compare(case: &Case) {
    let (mut ours, mut theirs) = (Ours::new(case), Theirs::new(case));
    for (position, (function, input)) in case.calls.iter().enumerate() {
        let seen = [ours.call(function, input), theirs.call(function, input)];
        let name = &case.name;
        assert_eq!(
            seen[0], seen[1],
            "{name}: call {position}, {function} of {input:?}, ours first"
        );
    }
}

#[test]
fn plugins_of_the_repository_behave_as_in_the_reference() {
    corpus::repository().iter().for_each(compare);
}

#[test]
fn the_go_plugin_behaves_as_in_the_reference() {
    compare(&corpus::go());
}

#[test]
fn each_function_of_the_environment_behaves_as_in_the_reference() {
    corpus::environment().iter().for_each(compare);
}

#[test]
fn ends_of_calls_are_those_of_the_reference() {
    ends::ends().iter().for_each(compare);
}

#[test]
fn generated_guests_behave_as_in_the_reference() {
    for seed in 1..=40 {
        compare(&generator::case(seed));
    }
}

#[test]
fn a_plugin_of_2023_does_what_its_twin_of_today_does() {
    let [modern, legacy, _] = corpus::repository_texts();
    let calls = corpus::repository_calls();
    let case = |text| Case::new("twins", text, calls.clone());
    let (mut modern, mut legacy) = (Ours::new(&case(modern)), Ours::new(&case(legacy)));
    for (function, input) in calls {
        assert_eq!(
            legacy.call(&function, &input),
            modern.call(&function, &input),
            "{function}"
        );
    }
}

#[test]
fn the_differences_are_those_that_are_listed() {
    for (case, ours, theirs) in ends::differences() {
        let (mut our_run, mut their_run) = (Ours::new(&case), Theirs::new(&case));
        let mut last = None;
        for (function, input) in &case.calls {
            last = Some((
                our_run.call(function, input),
                their_run.call(function, input),
            ));
        }
        let (our_end, their_end) = last.unwrap();
        assert_eq!(our_end, ours, "{}", case.name);
        match theirs {
            Some(expected) => assert_eq!(their_end, expected, "{}", case.name),
            None => assert!(
                matches!(their_end, Seen::Failed(_)),
                "{}: {their_end:?}",
                case.name
            ),
        }
    }
}
