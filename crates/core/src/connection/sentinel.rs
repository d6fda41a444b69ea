//! Finds the master through its sentinels.

use super::{CONNECT_TIMEOUT, not_connected, slots::HostPort, timed_out};
use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult};
use std::{collections::HashMap, time::Duration};

/// After the first answer, the wait for one of a later failover.
const LATE_ANSWER_TIMEOUT: Duration = Duration::from_millis(200);

/// A client of one sentinel.
pub(super) struct Sentinel(Client);

impl Sentinel {
    pub(super) fn new(info: ConnectionInfo) -> RedisResult<Self> {
        Client::open(info).map(Self)
    }

    /// This sentinel's view of the master: its configuration epoch, which increases with each
    /// failover, and its address.
    pub(super) async fn epoch_and_master(&self, name: &str) -> RedisResult<(u64, HostPort)> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(CONNECT_TIMEOUT));
        let asked = async {
            let mut connection = self
                .0
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            let (server, state): (Option<HostPort>, HashMap<String, String>) = redis::pipe()
                .cmd("SENTINEL")
                .arg("GET-MASTER-ADDR-BY-NAME")
                .arg(name)
                .cmd("SENTINEL")
                .arg("MASTER")
                .arg(name)
                .query_async(&mut connection)
                .await?;
            let server = server.ok_or_else(|| {
                let reason = "the sentinels know no master of that name";
                RedisError::from((ErrorKind::MasterNameNotFoundBySentinel, reason))
            })?;
            let epoch = state
                .get("config-epoch")
                .and_then(|epoch| epoch.parse().ok());
            Ok((epoch.unwrap_or(0), server))
        };
        tokio::time::timeout(CONNECT_TIMEOUT, asked)
            .await
            .map_err(|_elapsed| timed_out())?
    }
}

/// The master with the latest epoch. All sentinels are queried at once: one may be cut off, another
/// may not know of the last failover yet.
///
/// # Errors
/// When no sentinel answers.
pub(super) async fn latest_master(sentinels: &[Sentinel], name: &str) -> RedisResult<HostPort> {
    let asked = sentinels
        .iter()
        .map(|sentinel| sentinel.epoch_and_master(name));
    let mut answers: FuturesUnordered<_> = asked.collect();
    let mut newest: Option<(u64, HostPort)> = None;
    let mut failed = None;
    loop {
        let answer = match &newest {
            None => answers.next().await,
            Some(_) => tokio::time::timeout(LATE_ANSWER_TIMEOUT, answers.next())
                .await
                .unwrap_or(None),
        };
        match answer {
            Some(Ok(opinion)) if newest.as_ref().is_none_or(|known| known.0 < opinion.0) => {
                newest = Some(opinion);
            }
            Some(Ok(_older)) => {}
            Some(Err(error)) => failed = Some(error),
            None => break,
        }
    }
    match newest {
        Some((_, server)) => Ok(server),
        None => Err(failed.unwrap_or_else(not_connected)),
    }
}
