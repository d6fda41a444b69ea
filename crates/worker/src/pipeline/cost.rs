//! What a search has cost so far: time per stage, and tokens.

use privachat_core::schema::{Stage, Usage};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

pub(super) struct Cost {
    since: Instant,
    pub(super) timings: BTreeMap<Stage, Duration>,
    pub(super) usage: Option<Usage>,
}

impl Cost {
    pub(super) fn start() -> Self {
        Self {
            since: Instant::now(),
            timings: BTreeMap::new(),
            usage: None,
        }
    }

    /// Books the time since the previous call as that of `stage`.
    pub(super) fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        self.timings.insert(stage, now - self.since);
        self.since = now;
    }

    pub(super) fn spend(&mut self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            *self.usage.get_or_insert_default() += usage;
        }
    }
}
