//! What a plugin tells of itself, for JavaScript.

use std::collections::HashMap;
use std::time::Duration;

use extism_host::pool::Report;

/// What a plugin does and has done.
#[napi(object, object_from_js = false)]
pub struct PluginStats {
    /// Calls that were settled.
    pub calls: f64,
    /// How many of them failed, by code.
    pub errors: HashMap<String, f64>,
    /// Calls that run now.
    pub active: u32,
    /// Calls that wait now.
    pub queued: u32,
    /// Instances that exist now.
    pub instances: u32,
    /// Instances that were replaced because they could not go on.
    pub replaced: f64,
    /// Calls that ran on a worker thread, wholly or in part.
    pub moved: f64,
    pub run_ms: Percentiles,
    pub wait_ms: Percentiles,
}

/// Milliseconds that half of the calls, and all but one of a hundred, stayed within.
#[napi(object, object_from_js = false)]
pub struct Percentiles {
    pub p50: f64,
    pub p99: f64,
}

impl From<[Duration; 2]> for Percentiles {
    fn from(durations: [Duration; 2]) -> Self {
        let [p50, p99] = durations.map(|duration| duration.as_secs_f64() * 1000.0);
        Self { p50, p99 }
    }
}

impl From<Report> for PluginStats {
    fn from(report: Report) -> Self {
        let errors = report.errors.into_iter();
        Self {
            calls: report.calls as f64,
            errors: errors
                .map(|(code, count)| (code.to_owned(), count as f64))
                .collect(),
            active: report.active as u32,
            queued: report.queued as u32,
            instances: report.instances as u32,
            replaced: report.replaced as f64,
            moved: report.moved as f64,
            run_ms: report.run_time.into(),
            wait_ms: report.wait_time.into(),
        }
    }
}
