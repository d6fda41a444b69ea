//! [`Link`]: a connection that routes each command to the server of its key.

use super::{
    HOME,
    directory::Directory,
    node::{Node, Via},
    route::Target,
    slots,
};
use redis::{
    Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value,
    aio::ConnectionLike,
};
use std::sync::Arc;

/// A connection to one server, a sentinel group or a Cluster. Clones are cheap and share the
/// underlying connections.
#[derive(Clone)]
pub struct Link {
    directory: Arc<Directory>,
    via: Via,
    /// Set if every command goes to this server.
    only: Option<Arc<Node>>,
    /// The server that answered last: a missing script is loaded there.
    last: Option<Arc<Node>>,
    /// Whether a command is sent again after its connection broke.
    repeats: bool,
}

impl Link {
    pub(super) fn anywhere(directory: Arc<Directory>, via: Via) -> Self {
        Self {
            directory,
            via,
            only: None,
            last: None,
            repeats: true,
        }
    }

    /// The same connection without retries, for commands that must not run twice.
    pub(super) fn once(self) -> Self {
        Self {
            repeats: false,
            ..self
        }
    }

    pub(super) fn to(directory: Arc<Directory>, node: Arc<Node>) -> Self {
        Self {
            only: Some(node),
            ..Self::anywhere(directory, Via::Shared)
        }
    }

    fn target(&self, command: &Cmd) -> Target {
        if let Some(node) = &self.only {
            return Target::Node(Arc::clone(node));
        }
        // Fast path: without a Cluster one server owns all slots.
        if !self.directory.is_cluster() {
            return Target::Slot(0);
        }
        match (slots::of_command(command), &self.last) {
            (Some(slot), _) => Target::Slot(slot),
            (None, Some(last)) => Target::Node(Arc::clone(last)),
            (None, _) => Target::Slot(slots::of_key(HOME.as_bytes())),
        }
    }

    async fn command(&mut self, command: &Cmd) -> RedisResult<Value> {
        let target = self.target(command);
        let (node, reply) = self
            .directory
            .run(
                &target,
                self.via,
                self.repeats,
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
        self.last = Some(node);
        reply
    }

    /// Sends a pipeline; in a Cluster one command after the other, because their keys may be on
    /// several servers.
    async fn commands(
        &mut self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        if self.only.is_none() && self.directory.is_cluster() {
            let mut values = Vec::with_capacity(count);
            for command in pipeline.cmd_iter() {
                values.push(self.command(command).await?);
            }
            return Ok(values);
        }
        let target = match &self.only {
            Some(node) => Target::Node(Arc::clone(node)),
            None => Target::Slot(0),
        };
        let (node, values) = self
            .directory
            .run(
                &target,
                self.via,
                self.repeats,
                |mut connection, _| async move {
                    let values = connection
                        .req_packed_commands(pipeline, offset, count)
                        .await?;
                    values.into_iter().map(Value::extract_error).collect()
                },
            )
            .await?;
        self.last = Some(node);
        Ok(values)
    }
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.command(command))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(self.commands(pipeline, offset, count))
    }

    fn get_db(&self) -> i64 {
        self.directory.database()
    }
}

fn is_script_missing(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
