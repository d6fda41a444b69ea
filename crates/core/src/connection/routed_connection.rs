//! [`RoutedConnection`]: a connection that routes each command to the server of its key.

use super::{
    QUEUE_KEY,
    node::{Lane, Node},
    route::RouteTarget,
    slots,
    topology::Topology,
};
use redis::{
    Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value,
    aio::ConnectionLike,
};
use std::sync::Arc;

/// A connection to one server, a sentinel group or a Cluster. Clones are cheap and share the
/// underlying connections.
#[derive(Clone)]
pub struct RoutedConnection {
    topology: Arc<Topology>,
    lane: Lane,
    /// Set if every command goes to this server.
    pinned_node: Option<Arc<Node>>,
    /// The server that answered last: a missing script is loaded there.
    last_node: Option<Arc<Node>>,
    /// Whether a command is sent again after its connection broke.
    retries: bool,
}

impl RoutedConnection {
    pub(super) fn new(topology: Arc<Topology>, lane: Lane) -> Self {
        Self {
            topology,
            lane,
            pinned_node: None,
            last_node: None,
            retries: true,
        }
    }

    /// The same connection without retries, for commands that must not run twice.
    pub(super) fn without_retry(self) -> Self {
        Self {
            retries: false,
            ..self
        }
    }

    pub(super) fn pinned_to(directory: Arc<Topology>, node: Arc<Node>) -> Self {
        Self {
            pinned_node: Some(node),
            ..Self::new(directory, Lane::Shared)
        }
    }

    fn target(&self, command: &Cmd) -> RouteTarget {
        if let Some(node) = &self.pinned_node {
            return RouteTarget::Node(Arc::clone(node));
        }
        // Fast path: without a Cluster one server owns all slots.
        if !self.topology.is_cluster() {
            return RouteTarget::Slot(0);
        }
        match (slots::of_command(command), &self.last_node) {
            (Some(slot), _) => RouteTarget::Slot(slot),
            (None, Some(last)) => RouteTarget::Node(Arc::clone(last)),
            (None, _) => RouteTarget::Slot(slots::of_key(QUEUE_KEY.as_bytes())),
        }
    }

    async fn send_command(&mut self, command: &Cmd) -> RedisResult<Value> {
        let target = self.target(command);
        let (node, reply) = self
            .topology
            .run(
                &target,
                self.lane,
                self.retries,
                |mut connection, asking| async move {
                    let reply = if asking {
                        let mut pipeline = redis::pipe();
                        pipeline.cmd("ASKING").add_command(command.clone());
                        let replies = connection.req_packed_commands(&pipeline, 0, 2).await;
                        replies.map(|mut replies| replies.pop().unwrap_or(Value::Nil))
                    } else {
                        connection.req_packed_command(command).await
                    };
                    match reply.and_then(Value::extract_error) {
                        // The right server, without the script. As a value, so that the server
                        // becomes `last_node` and the script is loaded there.
                        Err(error) if is_script_missing(&error) => Ok(Err(error)),
                        reply => reply.map(Ok),
                    }
                },
            )
            .await?;
        self.last_node = Some(node);
        reply
    }

    /// Sends a pipeline; in a Cluster one command after the other, because their keys may be on
    /// several servers.
    async fn send_pipeline(
        &mut self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        if self.pinned_node.is_none() && self.topology.is_cluster() {
            let mut values = Vec::with_capacity(count);
            for command in pipeline.cmd_iter() {
                values.push(self.send_command(command).await?);
            }
            return Ok(values);
        }
        let target = match &self.pinned_node {
            Some(node) => RouteTarget::Node(Arc::clone(node)),
            None => RouteTarget::Slot(0),
        };
        let (node, values) = self
            .topology
            .run(
                &target,
                self.lane,
                self.retries,
                |mut connection, _| async move {
                    let values = connection
                        .req_packed_commands(pipeline, offset, count)
                        .await?;
                    values.into_iter().map(Value::extract_error).collect()
                },
            )
            .await?;
        self.last_node = Some(node);
        Ok(values)
    }
}

impl ConnectionLike for RoutedConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.send_command(command))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(self.send_pipeline(pipeline, offset, count))
    }

    fn get_db(&self) -> i64 {
        self.topology.database()
    }
}

fn is_script_missing(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
