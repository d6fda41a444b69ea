//! [`DedicatedConnection`]: a connection for one task that blocks on it. [`UnblockHandle`] ends the blocking command.

use super::{node::Node, with_connect_timeout};
use redis::{RedisResult, aio::MultiplexedConnection};
use std::sync::Arc;

/// A connection without a response timeout, for one task. Do not share it; drop it after any error.
pub struct DedicatedConnection {
    /// The connection, without a response timeout.
    pub connection: MultiplexedConnection,
    /// Ends its blocking command from another task.
    pub unblock_handle: UnblockHandle,
}

/// Ends the blocking command of a [`DedicatedConnection`] connection.
#[derive(Clone)]
pub struct UnblockHandle {
    /// The server that gave the client id: ids are unique per server only.
    node: Arc<Node>,
    client_id: i64,
}

impl DedicatedConnection {
    pub(super) async fn connect(node: Arc<Node>) -> RedisResult<Self> {
        let mut connection = node.connect_dedicated().await?;
        let mut command = redis::cmd("CLIENT");
        command.arg("ID");
        // The connection has no response timeout.
        let client = with_connect_timeout(command.query_async(&mut connection)).await?;
        Ok(Self {
            connection,
            unblock_handle: UnblockHandle {
                node,
                client_id: client,
            },
        })
    }
}

impl UnblockHandle {
    pub(super) fn is_for(&self, node: &Arc<Node>) -> bool {
        Arc::ptr_eq(&self.node, node)
    }

    /// Makes the blocking command return without a result (CLIENT UNBLOCK).
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn unblock(&self) -> RedisResult<()> {
        let woken = self.node.run_shared(|mut connection| async move {
            let mut command = redis::cmd("CLIENT");
            command.arg("UNBLOCK").arg(self.client_id);
            command.query_async::<i64>(&mut connection).await
        });
        woken.await.map(|_woken| ())
    }
}
