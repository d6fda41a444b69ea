//! What a search has cost so far: time per stage, and tokens.

use privachat_core::schema::{Stage, Usage};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

pub(super) struct Cost {
    stage_start: Instant,
    pub(super) timings: BTreeMap<Stage, Duration>,
    pub(super) usage: Option<Usage>,
}

impl Cost {
    pub(super) fn start() -> Self {
        Self {
            stage_start: Instant::now(),
            timings: BTreeMap::new(),
            usage: None,
        }
    }

    /// Books the time since the previous call as that of `stage`.
    pub(super) fn end_stage(&mut self, stage: Stage) {
        let now = Instant::now();
        self.timings.insert(stage, now - self.stage_start);
        self.stage_start = now;
    }

    pub(super) fn add_usage(&mut self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            *self.usage.get_or_insert_default() += usage;
        }
    }
}
