//! The process metrics of both binaries:
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.

use super::{Metric, ScrapeGauges};
use crate::version::{self, VERSION};
use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

/// The metrics that both binaries have.
pub const PROCESS_METRICS: &[Metric] = &[BUILD_INFO, RESIDENT_MEMORY, OPEN_FILES, START_TIME];

const BUILD_INFO: Metric = Metric::gauge(
    "privachat_build_info",
    &["binary", "version", "revision"],
    "1: which build this is",
);
const RESIDENT_MEMORY: Metric = Metric::gauge(
    "process_resident_memory_bytes",
    &[],
    "Memory of the process that is in RAM",
);
const OPEN_FILES: Metric = Metric::gauge(
    "process_open_fds",
    &[],
    "Open files and connections of the process",
);
const START_TIME: Metric = Metric::gauge(
    "process_start_time_seconds",
    &[],
    "When the process began, in seconds since 1970",
);

/// The name and start time of this process, for its metrics.
#[derive(Debug)]
pub struct ProcessMetrics {
    binary: &'static str,
    started: SystemTime,
}

impl ProcessMetrics {
    /// Records now as the start time of the process.
    #[must_use]
    pub fn new(binary: &'static str) -> Self {
        Self {
            binary,
            started: SystemTime::now(),
        }
    }

    /// Sets the process gauges; leaves out values that the system does not provide.
    pub fn record(&self, moment: &mut ScrapeGauges) {
        let build = [
            self.binary.into(),
            VERSION.into(),
            version::revision().into(),
        ];
        moment.gauges(&BUILD_INFO).set(build, 1.0);
        if let Some(bytes) = resident_bytes() {
            moment.set(&RESIDENT_MEMORY, bytes);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // Without the descriptor that lists this folder.
            moment.set(&OPEN_FILES, to_f64(files.count().saturating_sub(1)));
        }
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        moment.set(&START_TIME, started.as_secs_f64());
    }
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
