//! The threads that run guests for long: fewer than there are cores, at a lower priority than the
//! embedder's threads, shared by all plugins of the process.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::{Condvar, LazyLock, Mutex};
use std::thread::{self, available_parallelism};

use super::place::Runnable;
use crate::engine;
use crate::faults;
use crate::ffi;
use crate::sync::{lock, wait};
use crate::threads::{self as io, contain};

/// Host functions in Rust run on a worker's own stack, guests on their fibers'.
const STACK_BYTES: usize = 1 << 20;
/// How many tasks that have not yielded yet go before one that has.
const FRESH_IN_A_ROW: u32 = 8;

enum Job {
    Poll(Runnable),
    /// To be dropped, which may take long.
    Drop(Box<dyn Send>),
}

struct Workers {
    state: Mutex<State>,
    arrived: Condvar,
    max: usize,
}

#[derive(Default)]
struct State {
    fresh: VecDeque<Job>,
    /// Tasks that have used up a slice: those that have not go first.
    long: VecDeque<Job>,
    fresh_in_a_row: u32,
    threads: usize,
    idle: usize,
}

static WORKERS: LazyLock<Workers> = LazyLock::new(|| Workers {
    state: Mutex::default(),
    arrived: Condvar::new(),
    max: available_parallelism()
        .map_or(1, NonZero::get)
        .saturating_sub(1)
        .max(1),
});

/// How many workers there can be.
pub fn count() -> usize {
    WORKERS.max
}

/// Has a worker poll a task. Where no worker can be started, the thread that called does; once that
/// is gone, the task ends here.
pub fn push(runnable: Runnable) {
    let long = runnable.metadata().is_long();
    if let Err(Job::Poll(runnable)) = WORKERS.push(Job::Poll(runnable), long) {
        let place = runnable.metadata().clone();
        place.move_home();
        if !place.queue.is_closed() {
            place.queue.push(super::Event::Run(runnable));
        }
    }
}

/// Has a worker drop something, a store for example, whose memory takes long to give back.
pub fn discard(value: impl Send + 'static) {
    // Without a worker it is dropped here.
    drop(WORKERS.push(Job::Drop(Box::new(value)), false));
}

impl Workers {
    fn push(&'static self, job: Job, long: bool) -> Result<(), Job> {
        let mut state = lock(&self.state);
        if state.idle == 0 && state.threads < self.max {
            let thread = thread::Builder::new()
                .name("extism-worker".to_owned())
                .stack_size(STACK_BYTES);
            match thread.spawn(|| self.run()) {
                Ok(_) => state.threads += 1,
                Err(_) if state.threads == 0 => return Err(job),
                Err(_) => {}
            }
        }
        match long {
            true => state.long.push_back(job),
            false => state.fresh.push_back(job),
        }
        let wake = state.idle > 0;
        drop(state);
        if wake {
            self.arrived.notify_one();
        }
        Ok(())
    }

    fn run(&self) {
        ffi::lower_priority();
        let runtime = io::enter();
        let usable = engine::prepare_thread();
        loop {
            let job = self.next();
            // A panic of a task's own is contained within it.
            let _ = contain(|| {
                match job {
                    Job::Poll(runnable) if runtime.is_ok() && usable.is_ok() => {
                        runnable.run();
                    }
                    // Its call is settled as one that was lost.
                    Job::Poll(runnable) => drop(runnable),
                    Job::Drop(value) => {
                        faults::point("drop");
                        drop(value);
                    }
                }
                Ok(())
            });
        }
    }

    fn next(&self) -> Job {
        let mut state = lock(&self.state);
        loop {
            if let Some(job) = state.next() {
                return job;
            }
            state.idle += 1;
            state = wait(&self.arrived, state);
            state.idle -= 1;
        }
    }
}

impl State {
    fn next(&mut self) -> Option<Job> {
        if (self.fresh_in_a_row < FRESH_IN_A_ROW || self.long.is_empty())
            && let Some(job) = self.fresh.pop_front()
        {
            self.fresh_in_a_row += 1;
            return Some(job);
        }
        self.fresh_in_a_row = 0;
        self.long.pop_front().or_else(|| self.fresh.pop_front())
    }
}
