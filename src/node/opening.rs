//! How a plugin is opened on another thread.

use std::sync::{Arc, Mutex, OnceLock};

use super::environment::Plugins;
use super::source::Plan;
use super::ticket::Ticket;
use crate::call::{Outcome, Settle};
use crate::plugin::Plugin;
use crate::sync::lock;
use crate::threads::{self, contain};

/// The place of a plugin, which is filled before the ticket is settled, if it ever is.
pub fn open(plan: Plan, plugins: Arc<Plugins>, ticket: Ticket) -> Arc<OnceLock<Plugin>> {
    let plugin = Arc::<OnceLock<Plugin>>::default();
    let place = plugin.clone();
    let ticket = Arc::new(Mutex::new(Some(ticket)));
    let kept = ticket.clone();
    let job = move || {
        let outcome = contain(|| plan.open(true)).map(|plugin| {
            plugins.adopt(&plugin);
            // The place is this job's alone to fill.
            let _ = place.set(plugin);
            None
        });
        settle(&ticket, outcome);
    };
    if let Err(failure) = threads::spawn_blocking(job) {
        settle(&kept, Err(failure));
    }
    plugin
}

/// Settles the ticket, which belongs to whoever is first.
fn settle(ticket: &Mutex<Option<Ticket>>, outcome: Outcome) {
    if let Some(ticket) = lock(ticket).take() {
        Box::new(ticket).settle(outcome);
    }
}
