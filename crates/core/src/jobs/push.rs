//! Pushing queue entries, and the depth of the queues.

use super::{Jobs, JobsError, QueueEntry, damage::KeyGroup, millis};
use crate::{keys, mode::Mode};
use redis::ScriptInvocation;
use std::{sync::atomic::Ordering, time::Duration};
use uuid::Uuid;

/// Where a queue entry goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// Last; an existing entry stays where it is.
    Tail,
    /// As `Tail`, but with an existing entry the time of the next check stays as it is, too.
    TailIfAbsent,
    /// First.
    Head,
    /// First, if its sequence number is still this one: the entry was popped and the job was not
    /// claimed.
    HeadIfUnclaimed(String),
}

impl Jobs {
    /// Pushes a popped entry back to the head of its queue.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer. A repeat may push it twice, which is harmless.
    pub async fn requeue(&self, entry: QueueEntry) -> Result<(), JobsError> {
        self.push(entry.id, entry.mode, Position::Head, super::CLAIM_GRACE)
            .await?;
        Ok(())
    }

    /// Pushes a queue entry and schedules the check of its job. False when [`Position`] has left all
    /// as it was.
    pub(super) async fn push(
        &self,
        id: Uuid,
        mode: Mode,
        place: Position,
        look_after: Duration,
    ) -> Result<bool, JobsError> {
        let invocation = self.push_invocation(id, mode, place, look_after);
        let (depth, pushed): (u64, bool) = self.call_in(KeyGroup::Queues, &invocation).await?;
        self.remember_depth(depth);
        Ok(pushed)
    }

    pub(super) fn push_invocation(
        &self,
        id: Uuid,
        mode: Mode,
        place: Position,
        look_after: Duration,
    ) -> ScriptInvocation<'_> {
        let (end, number) = match place {
            Position::Tail => ("back", String::new()),
            Position::TailIfAbsent => ("back", "none".to_owned()),
            Position::Head => ("front", String::new()),
            Position::HeadIfUnclaimed(number) => ("front", number),
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
    pub async fn is_queue_full(&self, limit: u64) -> Result<bool, JobsError> {
        if self.queue_depth.load(Ordering::Relaxed) < limit {
            return Ok(false);
        }
        let mut depth = 0;
        for mode in Mode::ALL {
            let mut command = redis::cmd("LLEN");
            command.arg(keys::queue(mode));
            depth += self.query_in::<u64>(KeyGroup::Queues, &command).await?;
        }
        self.remember_depth(depth);
        Ok(depth >= limit)
    }

    pub(super) fn remember_depth(&self, depth: u64) {
        self.queue_depth.store(depth, Ordering::Relaxed);
    }
}
