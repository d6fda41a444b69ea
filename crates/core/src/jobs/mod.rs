//! The job engine. It knows ids, queues and bytes, and nothing of search.
//!
//! One sentence holds the design: **the record is the truth, the list is a hint.** `BRPOP` removes
//! only a hint; a job is accepted when its record exists and finished when its record says so.
//!
//! ```text
//!            create           claim              finish
//!  (absent) ───────▶ pending ───────▶ processing ───────▶ completed | failed
//!                    │  ▲                │
//!                    │  └────────────────┘ release (graceful stop), fail (passing reason),
//!                    │                     look (the worker was lost: see `losses`)
//!                    └───────────────────────────────────▶ failed: cancel, waited too long
//! ```
//!
//! Each arrow is one Lua script on the keys of one job, safe to repeat with the same nonce: a lost
//! reply is answered by the same call again. What is to be done with the queues afterwards is a
//! second script on the keys of the `{search}` group. A process may die between any two of them:
//! `live` names every job that has not ended, and when to look at it next.

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

/// How long after its submission a job without a hint is looked at.
const SUBMIT_GRACE: Duration = Duration::from_millis(4500);
/// How long a hint may be out of its list before its job is looked at.
const POP_GRACE: Duration = Duration::from_secs(2);

/// A handle on the jobs in one Redis. Clones share their connections.
#[derive(Clone)]
pub struct Jobs {
    redis: Redis,
    scripts: Arc<Scripts>,
    accepted: Arc<Groups<NewJob, Submitted>>,
    ledger: Arc<Groups<ledger::Entry, ()>>,
    /// Hints in all queues when last heard of.
    depth: Arc<AtomicU64>,
    /// Damaged keys that the log has named.
    named: Arc<damage::Named>,
    /// Tells what this process holds from what another of the same name does.
    instance: Uuid,
}

impl Jobs {
    /// A handle; connects when first used.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self {
            redis,
            scripts: Arc::new(Scripts::load()),
            accepted: Arc::new(Groups::new(accept::MOST, Waits::WithItsCaller)),
            ledger: Arc::new(Groups::new(ledger::MOST, Waits::ForItsTurn)),
            // Not known yet: as if full, so that the first who wants to know asks.
            depth: Arc::new(AtomicU64::new(u64::MAX)),
            named: Arc::default(),
            instance: Uuid::new_v4(),
        }
    }

    /// The Redis that it works on.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
