//! Finding the master through its sentinels.

use super::{CONNECT_TIMEOUT, slots::Server, timed_out};
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult};

/// One of those who watch a master.
pub(super) struct Sentinel(Client);

impl Sentinel {
    pub(super) fn new(info: ConnectionInfo) -> RedisResult<Self> {
        Client::open(info).map(Self)
    }

    /// Where the master of this name is, in this sentinel's opinion.
    pub(super) async fn master(&self, name: &str) -> RedisResult<Server> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(CONNECT_TIMEOUT));
        let asked = async {
            let mut connection = self
                .0
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            let mut command = redis::cmd("SENTINEL");
            command.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
            command
                .query_async::<Option<Server>>(&mut connection)
                .await?
                .ok_or_else(|| {
                    let reason = "the sentinels know no master of that name";
                    RedisError::from((ErrorKind::MasterNameNotFoundBySentinel, reason))
                })
        };
        tokio::time::timeout(CONNECT_TIMEOUT, asked)
            .await
            .map_err(|_elapsed| timed_out())?
    }
}
