//! [`Dedicated`]: a connection for one task that blocks on it. [`Wake`] ends the blocking command.

use super::{in_time, node::Node};
use redis::{RedisResult, aio::MultiplexedConnection};
use std::sync::Arc;

/// A connection without a response timeout, for one task. Do not share it; drop it after any error.
pub struct Dedicated {
    /// The connection, without a response timeout.
    pub connection: MultiplexedConnection,
    /// Ends its blocking command from another task.
    pub wake: Wake,
}

/// Ends the blocking command of a [`Dedicated`] connection.
#[derive(Clone)]
pub struct Wake {
    /// The server that gave the client id: ids are unique per server only.
    node: Arc<Node>,
    client: i64,
}

impl Dedicated {
    pub(super) async fn connect(node: Arc<Node>) -> RedisResult<Self> {
        let mut connection = node.dedicated().await?;
        let mut command = redis::cmd("CLIENT");
        command.arg("ID");
        // The connection has no response timeout.
        let client = in_time(command.query_async(&mut connection)).await?;
        Ok(Self {
            connection,
            wake: Wake { node, client },
        })
    }
}

impl Wake {
    pub(super) fn is_to(&self, node: &Arc<Node>) -> bool {
        Arc::ptr_eq(&self.node, node)
    }

    /// Makes the blocking command return without a result (CLIENT UNBLOCK).
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn wake(&self) -> RedisResult<()> {
        let woken = self.node.run_shared(|mut connection| async move {
            let mut command = redis::cmd("CLIENT");
            command.arg("UNBLOCK").arg(self.client);
            command.query_async::<i64>(&mut connection).await
        });
        woken.await.map(|_woken| ())
    }
}
