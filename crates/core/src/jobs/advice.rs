//! Whether Redis is set up to keep what it accepts.

use super::{Jobs, JobsError};
use crate::connection::Server;
use std::time::Duration;

impl Jobs {
    /// Logs what to change in the Redis server. One that does not answer yet is waited for by those
    /// who use it.
    pub async fn warn_of_bad_setup(&self) {
        match self.advice().await {
            Ok(advice) => advice
                .iter()
                .for_each(|sentence| tracing::warn!("{sentence}")),
            Err(error) => {
                tracing::warn!(error = %error, "Redis does not answer yet; trying until it does");
            }
        }
    }

    /// What to change in the Redis servers, a sentence each; empty when they are set up well.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn advice(&self) -> Result<Vec<String>, JobsError> {
        let mut advice = Vec::new();
        for server in self.redis.servers().await? {
            for sentence in self.advice_on(&server).await? {
                if !advice.contains(&sentence) {
                    advice.push(sentence);
                }
            }
        }
        Ok(advice)
    }

    async fn advice_on(&self, server: &Server) -> Result<Vec<String>, JobsError> {
        let memory = self.info(server, "memory").await?;
        let persistence = self.info(server, "persistence").await?;
        let cluster = self.info(server, "cluster").await?;
        let mut advice = Vec::new();
        let policy = value(&memory, "maxmemory_policy").unwrap_or("noeviction");
        if policy != "noeviction" && value(&memory, "maxmemory") != Some("0") {
            advice.push(format!(
                "maxmemory-policy is {policy}: Redis may forget accepted searches; set it to noeviction"
            ));
        }
        if value(&persistence, "aof_enabled") == Some("0") {
            advice.push(
                "appendonly is off: a restart of Redis loses what waits; set it to yes".to_owned(),
            );
        }
        if !self.redis.is_cluster() && value(&cluster, "cluster_enabled") == Some("1") {
            advice.push(
                "REDIS_URL names one server, which belongs to a Cluster (it answers MOVED): name \
                 several of its nodes, redis://host1:port1,host2:port2"
                    .to_owned(),
            );
        }
        Ok(advice)
    }

    /// How long a server has been running.
    pub(super) async fn uptime(&self, server: &Server) -> Result<Duration, JobsError> {
        let info = self.info(server, "server").await?;
        let seconds = value(&info, "uptime_in_seconds").and_then(|seconds| seconds.parse().ok());
        Ok(Duration::from_secs(seconds.unwrap_or(0)))
    }

    async fn info(&self, server: &Server, section: &str) -> Result<String, JobsError> {
        let mut command = redis::cmd("INFO");
        command.arg(section);
        Ok(command.query_async(&mut self.redis.link_to(server)).await?)
    }
}

/// The value of one line of `INFO`.
pub(super) fn value<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_whole_name() {
        let info = "# Memory\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n";
        assert_eq!(value(info, "maxmemory"), Some("100"));
        assert_eq!(value(info, "maxmemory_policy"), Some("allkeys-lru"));
        assert_eq!(value(info, "max"), None);
    }
}
