//! Checking the configuration of Redis: its version, role, eviction policy and persistence.

use super::{Durability, Jobs, JobsError};
use crate::connection::RedisServer;
use std::{fmt, time::Duration};

/// The oldest major version that the service supports.
const MIN_REDIS_VERSION: u32 = 7;

/// Something to change in the configuration of Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigIssue {
    /// What is wrong, and its consequence.
    pub problem: String,
    /// What to do.
    pub remedy: String,
    /// Whether searches fail or are lost while Redis itself goes on working.
    pub is_serious: bool,
}

impl fmt::Display for ConfigIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

/// The configuration of all Redis servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisCheck {
    /// The versions of the servers, each once.
    pub versions: Vec<String>,
    /// What to change, each once.
    pub issues: Vec<ConfigIssue>,
    /// That of the weakest server.
    pub durability: Durability,
}

impl Jobs {
    /// Logs what to change in the configuration of Redis. Does not wait for a server that does not
    /// answer yet.
    pub async fn log_config_issues(&self) {
        match self.check_redis().await {
            Ok(set_up) => {
                for fault in &set_up.issues {
                    tracing::warn!("{fault}");
                }
                if set_up.durability == Durability::Unknown {
                    let remedy = Durability::Unknown.remedy();
                    tracing::info!("Redis does not tell its persistence settings; {remedy}");
                }
            }
            Err(error) => {
                let remedy = error.tls_fault().map_or_else(String::new, |fault| {
                    format!("; {}", fault.remedy("REDIS_CA_FILE", "REDIS_URL"))
                });
                tracing::warn!(
                    error = %error,
                    "Redis does not answer yet; trying until it does{remedy}"
                );
            }
        }
    }

    /// Checks the configuration of all Redis servers.
    ///
    /// # Errors
    /// `Unavailable` when a server does not answer.
    pub async fn check_redis(&self) -> Result<RedisCheck, JobsError> {
        let mut set_up = RedisCheck {
            versions: Vec::new(),
            issues: Vec::new(),
            durability: Durability::Durable,
        };
        for server in self.redis.servers().await? {
            let info = self.info(&server, "default").await?;
            let durability = self.server_durability(&server, &info).await?;
            set_up.durability = set_up.durability.max(durability);
            if let Some(version) = info_value(&info, "redis_version")
                && !set_up.versions.iter().any(|known| known == version)
            {
                set_up.versions.push(version.to_owned());
            }
            let faults = find_issues(&info, self.redis.is_cluster());
            for fault in faults.into_iter().chain(durability_issue(durability)) {
                if !set_up.issues.contains(&fault) {
                    set_up.issues.push(fault);
                }
            }
        }
        Ok(set_up)
    }

    /// Zero when the server does not tell its uptime.
    pub(super) async fn uptime(&self, server: &RedisServer) -> Result<Duration, JobsError> {
        let info = self.info(server, "server").await?;
        let seconds =
            info_value(&info, "uptime_in_seconds").and_then(|seconds| seconds.parse().ok());
        Ok(Duration::from_secs(seconds.unwrap_or(0)))
    }

    pub(super) async fn info(
        &self,
        server: &RedisServer,
        section: &str,
    ) -> Result<String, JobsError> {
        let mut command = redis::cmd("INFO");
        command.arg(section);
        Ok(command
            .query_async(&mut self.redis.connection_to(server))
            .await?)
    }
}

/// What to change in one server, from its `INFO`.
fn find_issues(info: &str, is_cluster: bool) -> Vec<ConfigIssue> {
    let mut faults = Vec::new();
    let mut push = |is_serious, problem: String, remedy: &str| {
        faults.push(ConfigIssue {
            problem,
            remedy: remedy.to_owned(),
            is_serious,
        });
    };
    let version = info_value(info, "redis_version").unwrap_or_default();
    let major = version.split('.').next().and_then(|it| it.parse().ok());
    if major.is_some_and(|major: u32| major < MIN_REDIS_VERSION) {
        push(
            true,
            format!("Redis {version} is too old"),
            "run Redis 7 or later",
        );
    }
    if info_value(info, "role") == Some("slave") {
        push(
            true,
            "REDIS_URL names a replica, which takes no writes".to_owned(),
            "name its master, or its sentinels (redis+sentinel://host1:port1,host2:port2/name)",
        );
    }
    if !is_cluster && info_value(info, "cluster_enabled") == Some("1") {
        push(
            true,
            "REDIS_URL names one server, which belongs to a Cluster (it answers MOVED)".to_owned(),
            "name several of its nodes, redis://host1:port1,host2:port2",
        );
    }
    let policy = info_value(info, "maxmemory_policy").unwrap_or("noeviction");
    if policy != "noeviction" && info_value(info, "maxmemory") != Some("0") {
        push(
            true,
            format!("maxmemory-policy is {policy}: Redis may forget accepted searches"),
            "set it to noeviction",
        );
    }
    faults
}

/// Reports a durability weaker than the service promises; the service works with it.
fn durability_issue(durability: Durability) -> Option<ConfigIssue> {
    let problem = durability.weakness()?;
    Some(ConfigIssue {
        problem: problem.to_owned(),
        remedy: durability.remedy().to_owned(),
        is_serious: false,
    })
}

/// The value of a line `name:value` of `INFO`.
pub(super) fn info_value<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let info = "# Memory\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n";
        assert_eq!(info_value(info, "maxmemory"), Some("100"));
        assert_eq!(info_value(info, "maxmemory_policy"), Some("allkeys-lru"));
        assert_eq!(info_value(info, "max"), None);
    }

    #[test]
    fn a_well_configured_server_has_no_issues() {
        let info = "redis_version:7.0.15\r\nrole:master\r\ncluster_enabled:0\r\nmaxmemory:0\r\n\
            maxmemory_policy:allkeys-lru\r\naof_enabled:1\r\n";
        assert_eq!(
            find_issues(info, false),
            [],
            "without a limit nothing is evicted"
        );
    }

    #[test]
    fn each_issue_says_what_to_do() {
        for (info, part, is_serious) in [
            ("redis_version:6.2.14", "run Redis 7", true),
            (
                "redis_version:10.1.0\r\nrole:slave",
                "name its master",
                true,
            ),
            ("cluster_enabled:1", "several of its nodes", true),
            (
                "maxmemory:1\r\nmaxmemory_policy:volatile-lru",
                "noeviction",
                true,
            ),
        ] {
            let found = find_issues(info, false);
            let [fault] = found.as_slice() else {
                panic!("{found:?}");
            };
            assert!(fault.to_string().contains(part), "{fault}");
            assert_eq!(fault.is_serious, is_serious, "{fault}");
        }
    }
}
