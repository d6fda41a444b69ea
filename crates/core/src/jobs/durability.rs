//! Durability: whether Redis has a job on disk before it confirms it.

use super::{Jobs, JobsError, redis_check};
use crate::connection::{RedisServer, RoutedConnection};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// How durable a confirmed write is. Of several servers the weakest counts: the greatest variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// The append-only file is synced before each reply: accepted jobs survive a power cut.
    Durable,
    /// Redis does not tell, as is common with managed servers; not a sign of weakness.
    Unknown,
    /// The append-only file is synced later: the last second may be lost.
    Delayed,
    /// There is no append-only file: a restart loses the waiting jobs.
    Off,
}

impl Durability {
    /// The name for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Unknown => "unknown",
            Self::Delayed => "delayed",
            Self::Off => "off",
        }
    }

    /// What is wrong, if it is known to be weaker than the service promises.
    #[must_use]
    pub fn weakness(self) -> Option<&'static str> {
        match self {
            Self::Durable | Self::Unknown => None,
            Self::Delayed => Some(
                "appendfsync is not always: a power cut, or a crash of Redis while the disk is \
                 slow, loses the searches accepted in the last second",
            ),
            Self::Off => Some("appendonly is off: a restart of Redis loses the waiting searches"),
        }
    }

    /// What to do about the weakness.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Durable => "",
            Self::Unknown => "check that appendonly is yes and appendfsync is always",
            Self::Delayed => "set it to always, or accept that (docs/RUNBOOK.md)",
            Self::Off => "set it to yes, and appendfsync to always",
        }
    }

    /// From the `INFO` and `CONFIG GET` of one server; `None` for a value that it does not tell.
    pub(super) fn from_settings(append_only: Option<bool>, fsync: Option<&str>) -> Self {
        match (append_only, fsync) {
            (Some(false), _) => Self::Off,
            (Some(true), Some("always")) => Self::Durable,
            (Some(true), Some(_)) => Self::Delayed,
            (Some(true), None) | (None, _) => Self::Unknown,
        }
    }
}

/// Caches the [`Durability`]: `/readyz` and `/metrics` are polled often, and a Redis that refuses
/// `CONFIG` counts each refusal.
pub struct CachedDurability {
    jobs: Jobs,
    last: RwLock<Option<(Instant, Durability)>>,
}

impl CachedDurability {
    /// Age at which a cached value is read again.
    const MAX_AGE: Duration = Duration::from_secs(15);
    /// Timeout of a read.
    const READ_TIMEOUT: Duration = Duration::from_secs(1);

    /// Reads nothing before the first `get`.
    #[must_use]
    pub fn new(jobs: Jobs) -> Self {
        Self {
            jobs,
            last: RwLock::default(),
        }
    }

    /// The cached value, or a fresh one; `Unknown` if Redis does not answer in time.
    pub async fn get(&self) -> Durability {
        let last = *self.last.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, durability)) = last
            && at.elapsed() < Self::MAX_AGE
        {
            return durability;
        }
        let Ok(Ok(durability)) = timeout(Self::READ_TIMEOUT, self.jobs.durability()).await else {
            return Durability::Unknown;
        };
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), durability));
        durability
    }
}

impl Jobs {
    /// Reads the durability of all servers.
    ///
    /// # Errors
    /// `Unavailable` when a server does not answer.
    pub async fn durability(&self) -> Result<Durability, JobsError> {
        let mut weakest = Durability::Durable;
        for server in self.redis.servers().await? {
            let info = self.info(&server, "persistence").await?;
            weakest = weakest.max(self.server_durability(&server, &info).await?);
        }
        Ok(weakest)
    }

    /// Reads the durability of one server; `info` is its `INFO`.
    pub(super) async fn server_durability(
        &self,
        server: &RedisServer,
        info: &str,
    ) -> Result<Durability, JobsError> {
        let append_only =
            redis_check::info_value(info, "aof_enabled").map(|enabled| enabled == "1");
        let fsync = match append_only {
            Some(true) => fsync_policy(self.redis.connection_to(server)).await?,
            _ => None,
        };
        Ok(Durability::from_settings(append_only, fsync.as_deref()))
    }
}

/// `None` when the server refuses `CONFIG`, as managed ones do.
async fn fsync_policy(mut link: RoutedConnection) -> Result<Option<String>, JobsError> {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg("appendfsync");
    let reply: redis::RedisResult<HashMap<String, String>> = command.query_async(&mut link).await;
    match reply {
        Ok(mut values) => Ok(values.remove("appendfsync")),
        Err(error) if error.is_io_error() || error.is_timeout() => Err(error.into()),
        Err(_refused) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_weaknesses_are_reported() {
        for (append_only, fsync, durability) in [
            (Some(true), Some("always"), Durability::Durable),
            (Some(true), Some("everysec"), Durability::Delayed),
            (Some(true), Some("no"), Durability::Delayed),
            (Some(true), None, Durability::Unknown),
            (Some(false), None, Durability::Off),
            (Some(false), Some("always"), Durability::Off),
            (None, None, Durability::Unknown),
        ] {
            assert_eq!(Durability::from_settings(append_only, fsync), durability);
            let is_weak = matches!(durability, Durability::Delayed | Durability::Off);
            assert_eq!(durability.weakness().is_some(), is_weak);
        }
    }

    #[test]
    fn of_several_servers_the_weakest_counts() {
        use Durability::{Delayed, Durable, Off, Unknown};
        assert!(Durable < Unknown && Unknown < Delayed && Delayed < Off);
    }
}
