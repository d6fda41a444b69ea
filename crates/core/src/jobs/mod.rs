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

mod accept;
mod advice;
mod amnesty;
mod audit;
mod bell;
mod board;
mod callback;
mod cancel;
mod damage;
mod durability;
mod erase;
mod error;
mod events;
mod failure;
mod group;
mod ids;
mod inspect;
mod lease;
mod ledger;
mod list;
mod look;
mod losses;
mod outbox;
mod overview;
mod push;
mod readiness;
mod record;
mod scripts;
mod submit;
mod sweep;
mod take;

pub use advice::{Fault, SetUp};
pub use bell::{Bell, Ring};
pub use board::{Board, FailedJob, LiveJob};
pub use callback::Callback;
pub use cancel::Cancelled;
pub use durability::{Durability, DurabilityCheck};
pub use erase::Erased;
pub use error::JobsError;
pub use events::{Entry, EntryId};
pub use failure::Failure;
pub use inspect::{Damage, Damages};
pub use lease::{Beat, Claim, Ended, Failed, Lease, Release};
pub use overview::{Overview, Queue, SeenWorker};
pub use readiness::Hindrance;
pub use record::Record;
pub use submit::{NewJob, Submitted};
pub use sweep::{SweepRules, Sweeper, Swept};
pub use take::{Hint, Taker, Unblock};

use crate::connection::Redis;
use group::{Groups, Waits};
use scripts::Scripts;
use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use uuid::Uuid;

/// Delay of the first check of a new job, in case its queue entry was never pushed.
const SUBMIT_GRACE: Duration = Duration::from_millis(4500);
/// Time from the pop of a queue entry to the claim; after that the sweeper requeues the job.
const POP_GRACE: Duration = Duration::from_secs(2);

/// A handle on the jobs in one Redis. Clones share their connections.
#[derive(Clone)]
pub struct Jobs {
    redis: Redis,
    scripts: Arc<Scripts>,
    accepted: Arc<Groups<NewJob, Submitted>>,
    ledger: Arc<Groups<ledger::Entry, ()>>,
    /// Entries in all queues, as of the last reply that told it.
    depth: Arc<AtomicU64>,
    named: Arc<damage::Named>,
    /// Distinguishes the leases of this process from those of another with the same worker name.
    instance: Uuid,
}

impl Jobs {
    /// Connects at the first call.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self {
            redis,
            scripts: Arc::new(Scripts::load()),
            accepted: Arc::new(Groups::new(accept::MOST, Waits::WithItsCaller)),
            ledger: Arc::new(Groups::new(ledger::MOST, Waits::ForItsTurn)),
            // Unknown: counts as full, so that the first `is_queue_full` asks Redis.
            depth: Arc::new(AtomicU64::new(u64::MAX)),
            named: Arc::default(),
            instance: Uuid::new_v4(),
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
