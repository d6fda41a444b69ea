//! Pushing queue entries, and the depth of the queues.

use super::{Hint, Jobs, JobsError, damage::Scope, millis};
use crate::{keys, mode::Mode};
use redis::ScriptInvocation;
use std::{sync::atomic::Ordering, time::Duration};
use uuid::Uuid;

/// Where a queue entry goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Last; an existing entry stays where it is.
    Back,
    /// As `Tail`, but with an existing entry the time of the next check stays as it is, too.
    BackIfNone,
    /// First.
    Front,
    /// First, if its sequence number is still this one: the entry was popped and the job was not
    /// claimed.
    FrontIfStill(String),
}

impl Jobs {
    /// Pushes a popped entry back to the head of its queue.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer. A repeat may push it twice, which is harmless.
    pub async fn put_back(&self, hint: Hint) -> Result<(), JobsError> {
        self.push(hint.id, hint.mode, Place::Front, super::POP_GRACE)
            .await?;
        Ok(())
    }

    /// Pushes a queue entry and schedules the check of its job. False when [`Place`] has left all
    /// as it was.
    pub(super) async fn push(
        &self,
        id: Uuid,
        mode: Mode,
        place: Place,
        look_after: Duration,
    ) -> Result<bool, JobsError> {
        let invocation = self.push_invocation(id, mode, place, look_after);
        let (depth, pushed): (u64, bool) = self.call_in(Scope::Queues, &invocation).await?;
        self.note_depth(depth);
        Ok(pushed)
    }

    pub(super) fn push_invocation(
        &self,
        id: Uuid,
        mode: Mode,
        place: Place,
        look_after: Duration,
    ) -> ScriptInvocation<'_> {
        let (end, number) = match place {
            Place::Back => ("back", String::new()),
            Place::BackIfNone => ("back", "none".to_owned()),
            Place::Front => ("front", String::new()),
            Place::FrontIfStill(number) => ("front", number),
        };
        let mut invocation = self.scripts.push.prepare_invoke();
        invocation
            .key(keys::queue(mode))
            .key(keys::pending(mode))
            .key(keys::LIVE)
            .key(keys::SEQ);
        for queue in Mode::ALL.map(keys::queue) {
            invocation.key(queue);
        }
        invocation
            .arg(id.to_string())
            .arg(end)
            .arg(millis(look_after))
            .arg(number);
        invocation
    }

    /// Whether `limit` jobs or more are waiting. Replies to pushes carry the depth, so this asks
    /// Redis only when the last known depth has reached the limit. Other processes may push in
    /// between and overshoot the limit.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn is_full(&self, limit: u64) -> Result<bool, JobsError> {
        if self.depth.load(Ordering::Relaxed) < limit {
            return Ok(false);
        }
        let mut depth = 0;
        for mode in Mode::ALL {
            let mut command = redis::cmd("LLEN");
            command.arg(keys::queue(mode));
            depth += self.query_in::<u64>(Scope::Queues, &command).await?;
        }
        self.note_depth(depth);
        Ok(depth >= limit)
    }

    pub(super) fn note_depth(&self, depth: u64) {
        self.depth.store(depth, Ordering::Relaxed);
    }
}
