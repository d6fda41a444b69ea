//! Whether Redis is set up to keep what it accepts.

use super::{Jobs, JobsError};

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

    /// What to change in the Redis server, a sentence each; empty when it is set up well.
    ///
    /// # Errors
    /// When Redis gave no answer.
    async fn advice(&self) -> Result<Vec<String>, JobsError> {
        let memory = self.info("memory").await?;
        let persistence = self.info("persistence").await?;
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
        Ok(advice)
    }

    pub(super) async fn info(&self, section: &str) -> Result<String, JobsError> {
        let mut command = redis::cmd("INFO");
        command.arg(section);
        Ok(self.redis.query(&command).await?)
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
