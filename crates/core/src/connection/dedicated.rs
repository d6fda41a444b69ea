//! A connection for one task that blocks on it, and the way to wake that task.

use super::{in_time, node::Node};
use redis::{RedisResult, aio::MultiplexedConnection};
use std::sync::Arc;

/// A connection whose replies may take for ever. Never give it to anybody else; after any error
/// drop it.
pub struct Dedicated {
    /// The connection.
    pub connection: MultiplexedConnection,
    /// Ends what it is blocked in.
    pub wake: Wake,
}

/// Ends what a [`Dedicated`] connection is blocked in.
#[derive(Clone)]
pub struct Wake {
    /// The very server: on another the same number is another client.
    node: Arc<Node>,
    client: i64,
}

impl Dedicated {
    pub(super) async fn connect(node: Arc<Node>) -> RedisResult<Self> {
        let mut connection = node.dedicated().await?;
        let mut command = redis::cmd("CLIENT");
        command.arg("ID");
        // The connection itself waits for ever.
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

    /// The blocked command returns empty-handed.
    ///
    /// # Errors
    /// When the server gave no answer.
    pub async fn wake(&self) -> RedisResult<()> {
        let woken = self.node.run_shared(|mut connection| async move {
            let mut command = redis::cmd("CLIENT");
            command.arg("UNBLOCK").arg(self.client);
            command.query_async::<i64>(&mut connection).await
        });
        woken.await.map(|_woken| ())
    }
}
