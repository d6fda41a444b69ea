//! The outage grace: for how long expired leases are not recovered.
//!
//! After an outage of a server the leases of its jobs have expired although their workers live, so
//! expired leases do not count for one lease period. In a Cluster each server has its own grace:
//! the jobs of the others are recovered meanwhile.
//!
//! An outage shorter than the reply timeout, or a pause of all processes, causes no error. So a
//! long time between two replies counts as an outage, too.

use super::{Jobs, JobsError};
use crate::{
    connection::{Redis, RedisServer},
    keys,
};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How much of its uptime a server may have spent loading its data.
const MAX_LOADING_TIME: Duration = Duration::from_secs(10);

pub(super) struct OutageGrace {
    redis: Redis,
    lease: Duration,
    servers: Vec<ServerStatus>,
    /// Whether any server has answered yet.
    had_contact: bool,
    /// End of the last refresh.
    last_refresh: Option<Instant>,
}

struct ServerStatus {
    server: RedisServer,
    is_reachable: bool,
    /// End of the grace.
    grace_until: Option<Instant>,
}

impl OutageGrace {
    pub(super) fn new(redis: Redis, lease: Duration) -> Self {
        Self {
            redis,
            lease,
            servers: Vec::new(),
            had_contact: false,
            last_refresh: None,
        }
    }

    /// Finds the servers and asks each whether it answers. The grace begins for a server that
    /// answers again or after a long silence, and for one that is new (after a failover). Returns
    /// the error of a server that does not answer.
    ///
    /// # Errors
    /// `Unavailable` when the list of servers cannot be read.
    pub(super) async fn refresh(&mut self, jobs: &Jobs) -> Result<Option<JobsError>, JobsError> {
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
                let mut until = before.and_then(|known| known.grace_until);
                let known_and_well =
                    before.is_some_and(|known| known.is_reachable) && !self.missed_lease_window(at);
                // When this process starts, a server with a long uptime had no outage.
                let first_look = !self.had_contact && before.is_none();
                if let Ok(uptime) = &uptime
                    && !known_and_well
                    && !(first_look && *uptime > self.lease + MAX_LOADING_TIME)
                {
                    until = Some(Instant::now() + self.lease);
                }
                ServerStatus {
                    is_reachable: uptime.map_err(|error| failed = Some(error)).is_ok(),
                    server,
                    grace_until: until,
                }
            });
        self.servers = reviewed.collect();
        self.last_refresh = Some(Instant::now());
        self.had_contact |= self.servers.iter().any(|contact| contact.is_reachable);
        Ok(failed)
    }

    /// Whether so much time passed before this answer that leases may have expired: workers renew
    /// them every third of a lease, so two thirds are enough.
    fn missed_lease_window(&self, answer: Instant) -> bool {
        self.last_refresh
            .is_some_and(|last| answer.duration_since(last) > self.lease * 2 / 3)
    }

    /// Whether the server of this job answered the last call. An unknown server counts as reachable.
    pub(super) fn is_reachable(&self, id: Uuid) -> bool {
        self.status_of(id)
            .is_none_or(|contact| contact.is_reachable)
    }

    /// For how long an expired lease of this job still does not count.
    pub(super) fn grace_left(&self, id: Uuid) -> Duration {
        match self.status_of(id) {
            Some(contact) if contact.is_reachable => {
                contact.grace_until.map_or(Duration::ZERO, |until| {
                    until.saturating_duration_since(Instant::now())
                })
            }
            // The server is away, or has just become the master.
            Some(_) | None => self.lease,
        }
    }

    pub(super) fn mark_unreachable(&mut self, id: Uuid) {
        let server = self.redis.server_of(&keys::record(id));
        for contact in &mut self.servers {
            if server
                .as_ref()
                .is_none_or(|server| *server == contact.server)
            {
                contact.is_reachable = false;
            }
        }
    }

    pub(super) fn mark_all_unreachable(&mut self) {
        for contact in &mut self.servers {
            contact.is_reachable = false;
        }
    }

    fn status_of(&self, id: Uuid) -> Option<&ServerStatus> {
        let server = self.redis.server_of(&keys::record(id))?;
        self.servers.iter().find(|contact| contact.server == server)
    }
}
