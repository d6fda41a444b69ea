//! Whose expired leases are spared, and for how long.
//!
//! A server that was away was away for everybody: the leases of its jobs have run out although
//! their holders live, and these get one lease to come back. In a Cluster this goes by server: one
//! that is away for long must not keep us from the jobs of the others.
//!
//! Not every absence ends in an error: one that is shorter than the time a reply may take, or a pause
//! of all processes, is only a long silence.

use super::{Jobs, JobsError};
use crate::{
    connection::{Redis, Server},
    keys,
};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a server may have been loading its data when it was young.
const LOADING: Duration = Duration::from_secs(10);

pub(super) struct Amnesty {
    redis: Redis,
    lease: Duration,
    servers: Vec<Contact>,
    /// Whether there was a round before.
    begun: bool,
    /// When all servers had last answered, or failed to.
    reviewed: Option<Instant>,
}

struct Contact {
    server: Server,
    in_touch: bool,
    /// Until when expired leases are spared.
    until: Option<Instant>,
}

impl Amnesty {
    pub(super) fn new(redis: Redis, lease: Duration) -> Self {
        Self {
            redis,
            lease,
            servers: Vec::new(),
            begun: false,
            reviewed: None,
        }
    }

    /// Looks which servers there are and which of them answer. Those that answer again or after a
    /// long silence, and those that are new here (after a failover), spare expired leases from now
    /// on. Tells the reason of one that does not answer.
    ///
    /// # Errors
    /// When nobody can be asked which servers there are.
    pub(super) async fn review(&mut self, jobs: &Jobs) -> Result<Option<JobsError>, JobsError> {
        let servers = self.redis.servers().await?;
        let answers = join_all(
            servers
                .iter()
                .map(async |server| (jobs.uptime(server).await, Instant::now())),
        )
        .await;
        let mut failed = None;
        let reviewed = servers
            .into_iter()
            .zip(answers)
            .map(|(server, (uptime, at))| {
                let before = self.servers.iter().find(|known| known.server == server);
                let mut until = before.and_then(|known| known.until);
                let known_and_well =
                    before.is_some_and(|known| known.in_touch) && !self.was_silent_until(at);
                // At our own start a server that has run for long has not been away.
                let first_look = !self.begun && before.is_none();
                if let Ok(uptime) = &uptime
                    && !known_and_well
                    && !(first_look && *uptime > self.lease + LOADING)
                {
                    until = Some(Instant::now() + self.lease);
                }
                Contact {
                    in_touch: uptime.map_err(|error| failed = Some(error)).is_ok(),
                    server,
                    until,
                }
            });
        self.servers = reviewed.collect();
        self.reviewed = Some(Instant::now());
        self.begun |= self.servers.iter().any(|contact| contact.in_touch);
        Ok(failed)
    }

    /// Whether nothing had been heard for so long before this answer that leases may have run out
    /// meanwhile: their holders extend them three times in their length, so two thirds are enough.
    fn was_silent_until(&self, answer: Instant) -> bool {
        self.reviewed
            .is_some_and(|last| answer.duration_since(last) > self.lease * 2 / 3)
    }

    /// Whether the server of this job answered when last heard of.
    pub(super) fn in_touch(&self, id: Uuid) -> bool {
        self.contact(id).is_none_or(|contact| contact.in_touch)
    }

    /// For how long an expired lease of this job is spared.
    pub(super) fn spares(&self, id: Uuid) -> Duration {
        match self.contact(id) {
            Some(contact) if contact.in_touch => contact.until.map_or(Duration::ZERO, |until| {
                until.saturating_duration_since(Instant::now())
            }),
            // It is away, or has just taken over from another.
            Some(_) | None => self.lease,
        }
    }

    /// The server of this job did not answer.
    pub(super) fn lost(&mut self, id: Uuid) {
        let server = self.redis.server_of(&keys::record(id));
        for contact in &mut self.servers {
            if server
                .as_ref()
                .is_none_or(|server| *server == contact.server)
            {
                contact.in_touch = false;
            }
        }
    }

    /// None answered.
    pub(super) fn lost_all(&mut self) {
        for contact in &mut self.servers {
            contact.in_touch = false;
        }
    }

    fn contact(&self, id: Uuid) -> Option<&Contact> {
        let server = self.redis.server_of(&keys::record(id))?;
        self.servers.iter().find(|contact| contact.server == server)
    }
}
