//! The job engine: ids, queues and bytes. It knows nothing of what a job is about.
//!
//! **The record is the truth; a queue entry is only a hint.** `BRPOP` removes an entry, never a
//! job. A job is accepted when its record exists and has ended when its record says so.
//!
//! ```text
//!            enqueue              claim                  finish
//!  (absent) ─────────▶ pending ─────────▶ processing ───────────▶ completed | failed
//!                       │  ▲                  │  │
//!                       │  └──────────────────┘  └──────────────▶ failed
//!                       │   release, fail, inspect                fail, inspect
//!                       └───────────────────────────────────────▶ failed
//!                                                                 cancel, inspect
//! ```
//!
//! - enqueue: on one server, one script (`enqueue.lua`) stores the job and pushes its queue entry.
//!   In a Cluster, and for an id that a client chose, `register.lua`, `create.lua` and `push.lua`
//!   do it in three steps.
//! - release: a stopping worker gives the job back; the attempt does not count.
//! - fail: the attempt failed for a passing reason; the job waits for its next attempt, or ends
//!   when attempts or time are used up.
//! - inspect: the sweeper recovers a job whose lease expired (see `losses`), or ends it: too many
//!   crashes, or no time left to wait or to run.
//! - cancel: ends a pending job; of a running one it sets a flag, and the worker's `finish` ends it.
//!
//! Each arrow is one Lua script on the keys of one job. It may be repeated with the same nonce, so
//! a caller that lost a reply makes the same call again. A second script on the `{search}` keys
//! then updates queues and index. A process may die between the two: the index `live` holds every
//! unfinished job and when to check it next.

mod archive;
mod batch;
mod callback;
mod cancel;
mod damage;
mod damage_report;
mod dequeue;
mod durability;
mod enqueue;
mod enqueue_batch;
mod erase;
mod error;
mod events;
mod failure;
mod ids;
mod index;
mod index_update;
mod inspection;
mod lease;
mod listing;
mod losses;
mod notifier;
mod outage_grace;
mod overview;
mod push;
mod readiness;
mod reconcile;
mod record;
mod redis_check;
mod scripts;
mod sweep;

pub use callback::CallbackStatus;
pub use cancel::CancelResult;
pub use damage_report::{DamageReport, DamagedKey};
pub use dequeue::{Consumer, QueueEntry, Unblocker};
pub use durability::{CachedDurability, Durability};
pub use enqueue::{EnqueueResult, NewJob};
pub use erase::EraseResult;
pub use error::JobsError;
pub use events::{EventId, StoredEvent};
pub use failure::JobFailure;
pub use lease::{ClaimResult, FailResult, FinishResult, Lease, LeaseStatus, ReleaseResult};
pub use listing::{FailedJob, JobListing, LiveJob};
pub use notifier::{Notifier, Subscription};
pub use overview::{Overview, QueueStats, WorkerInfo};
pub use readiness::NotReadyReason;
pub use record::Record;
pub use redis_check::{ConfigIssue, RedisCheck};
pub use sweep::{SweepRules, SweepStats, Sweeper};

use crate::connection::Redis;
use batch::{Batcher, CancelPolicy};
use scripts::Scripts;
use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use uuid::Uuid;

/// Delay of the first check of a new job, in case its queue entry was never pushed.
const ENQUEUE_GRACE: Duration = Duration::from_millis(4500);
/// Time from the pop of a queue entry to the claim; after that the sweeper requeues the job.
const CLAIM_GRACE: Duration = Duration::from_secs(2);

/// A handle on the jobs in one Redis. Clones share their connections.
#[derive(Clone)]
pub struct Jobs {
    redis: Redis,
    scripts: Arc<Scripts>,
    enqueue_batcher: Arc<Batcher<NewJob, EnqueueResult>>,
    index_batcher: Arc<Batcher<index_update::IndexUpdate, ()>>,
    /// Entries in all queues, as of the last reply that told it.
    queue_depth: Arc<AtomicU64>,
    logged_keys: Arc<damage::LoggedKeys>,
    /// Distinguishes the leases of this process from those of another with the same worker name.
    process_id: Uuid,
}

impl Jobs {
    /// Connects at the first call.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self {
            redis,
            scripts: Arc::new(Scripts::load()),
            enqueue_batcher: Arc::new(Batcher::new(
                enqueue_batch::MAX_BATCH,
                CancelPolicy::DropWithCaller,
            )),
            index_batcher: Arc::new(Batcher::new(
                index_update::MAX_BATCH,
                CancelPolicy::AlwaysSend,
            )),
            // Unknown: counts as full, so that the first `is_queue_full` asks Redis.
            queue_depth: Arc::new(AtomicU64::new(u64::MAX)),
            logged_keys: Arc::default(),
            process_id: Uuid::new_v4(),
        }
    }

    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
