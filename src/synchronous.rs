//! Calls that JavaScript's thread waits for. Each has a queue of its own: nothing else runs before
//! it is over.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use extism_host::environment::{Step, Turn};
use extism_host::executor::Queue;

/// How long JavaScript's thread sleeps before JavaScript can notice that it is to end.
const LOOK_AROUND: Duration = Duration::from_millis(10);

/// Those that wait for each other, innermost last.
#[derive(Default)]
pub struct Synchronous {
    calls: RefCell<Vec<(Arc<Queue>, Turn)>>,
    /// A queue that nobody has any longer.
    spare: Cell<Option<Arc<Queue>>>,
}

impl Synchronous {
    pub fn begin(&self, turn: Turn) -> Arc<Queue> {
        let queue = self.spare.take().unwrap_or_else(|| {
            let thread = thread::current();
            Queue::new(Box::new(move || thread.unpark()))
        });
        self.calls.borrow_mut().push((queue.clone(), turn));
        queue
    }

    /// Goes on with the innermost one until there is something for JavaScript; `None` where it
    /// waits.
    pub fn step(&self) -> Option<Step> {
        let innermost = self.calls.borrow_mut().pop();
        let (queue, turn) = innermost?;
        let mut step = turn.step(&queue);
        if matches!(step, Step::Idle) {
            thread::park_timeout(LOOK_AROUND);
            step = turn.step(&queue);
        }
        self.calls.borrow_mut().push((queue, turn));
        match step {
            Step::Idle => None,
            step => Some(step),
        }
    }

    /// The innermost one is over.
    pub fn end(&self) {
        let ended = self.calls.borrow_mut().pop();
        let Some((mut queue, _)) = ended else {
            return;
        };
        match Arc::get_mut(&mut queue) {
            Some(_) => self.spare.set(Some(queue)),
            // A task may still have it, which is to end elsewhere.
            None => queue.close(),
        }
    }

    /// JavaScript was ended in the middle, by a timeout of `node:vm` for example.
    pub fn abandon(&self) {
        for (queue, _) in self.calls.take() {
            queue.close();
        }
    }
}
