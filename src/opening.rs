//! How a plugin is opened on a thread that may block.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};

use extism_host::call::Outcome;
use extism_host::executor::{Event, Queue};
use extism_host::pool::{self, Pool};
use extism_host::sync::lock;
use extism_host::threads::contain;

use super::environment::Plugins;

/// Ends an operation once, whoever is first.
#[derive(Clone)]
pub struct Settlement {
    pub queue: Arc<Queue>,
    operation: Arc<Mutex<Option<u64>>>,
}

impl Settlement {
    pub fn new(queue: &Arc<Queue>, operation: f64) -> Self {
        Self {
            queue: queue.clone(),
            operation: Arc::new(Mutex::new(Some(operation as u64))),
        }
    }

    pub fn settle(&self, outcome: Outcome) {
        if let Some(operation) = lock(&self.operation).take() {
            self.queue.push(Event::Settled(operation, outcome));
        }
    }
}

/// Fills the place of a plugin.
pub(super) fn open(
    source: pool::PluginSource,
    queue: &Arc<Queue>,
    plugins: &Plugins,
    place: &OnceLock<Arc<Pool>>,
    abandoned: &AtomicBool,
) -> Outcome {
    contain(|| {
        let opening = Pool::open(source, queue.clone())?;
        // From now on, an end of the plugin's thread and `abandon` end the compiling.
        plugins.adopt(&opening.pool);
        // The place is this job's alone to fill.
        let _ = place.set(opening.pool.clone());
        if abandoned.load(SeqCst) {
            opening.pool.forget();
        }
        opening.compile()?;
        Ok(None)
    })
}
