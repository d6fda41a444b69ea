//! Putting hints into their queues, and knowing how many there are.

use super::{Hint, Jobs, JobsError, damage::Scope, millis};
use crate::{keys, mode::Mode};
use redis::ScriptInvocation;
use std::{sync::atomic::Ordering, time::Duration};
use uuid::Uuid;

/// Where a hint goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind all others, unless there is one already.
    Back,
    /// The same, and if there is one, even the time of the next look is left as it is.
    BackIfNone,
    /// Before all others.
    Front,
    /// Before all others, if its number is still this one: it was popped and nobody has claimed it.
    FrontIfStill(String),
}

impl Jobs {
    /// Gives a hint that was popped back, before all others.
    ///
    /// # Errors
    /// When Redis gave no answer. A repeat may put it there twice, which does no harm.
    pub async fn put_back(&self, hint: Hint) -> Result<(), JobsError> {
        self.push(hint.id, hint.mode, Place::Front, super::POP_GRACE)
            .await?;
        Ok(())
    }

    /// Puts a hint in its place; tells whether it was not left alone.
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

    /// Whether `limit` searches or more are waiting. Each push tells the depth for nothing; only
    /// near the limit Redis is asked, so the limit may be overshot by what other processes push in
    /// the same moment.
    ///
    /// # Errors
    /// When Redis gave no answer.
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
