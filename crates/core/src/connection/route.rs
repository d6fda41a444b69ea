//! Getting a command to the server that it belongs to, and what to do when that turns out to be
//! wrong.

use super::{
    RESPONSE_TIMEOUT,
    directory::Directory,
    node::{Node, Via},
    shared::is_read_only,
    slots,
};
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, aio::MultiplexedConnection};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Redirections that one command follows.
const MOST_REDIRECTIONS: usize = 5;
/// Between two tries of a command whose slot is just being moved.
const MOVING_PAUSE: Duration = Duration::from_millis(50);

/// Where a command goes.
#[derive(Clone)]
pub(super) enum Target {
    /// To the owner of a slot, whoever that is.
    Slot(u16),
    /// To this server and no other.
    Node(Arc<Node>),
}

impl Directory {
    /// Does `work` where it belongs, on a connection that it may have to precede with ASKING. What
    /// a redirection stopped is done again, and what a broken connection stopped if it `repeats`.
    /// Tells who did it.
    pub(super) async fn run<T, F>(
        self: &Arc<Self>,
        target: &Target,
        via: Via,
        repeats: bool,
        work: impl Fn(MultiplexedConnection, bool) -> F,
    ) -> RedisResult<(Arc<Node>, T)>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let until = Instant::now() + RESPONSE_TIMEOUT;
        let mut redirections = 0;
        let mut repeated = !repeats;
        let mut asking = false;
        let mut node = self.resolve(target).await?;
        loop {
            let failed = match node.run(via, |connection| work(connection, asking)).await {
                Ok(value) => return Ok((node, value)),
                Err(failed) => failed,
            };
            let sent = failed.was_sent();
            let error = failed.into_error();
            if throws_doubt(&error) {
                self.doubt();
            }
            match redirect(&error) {
                Some(redirect) if self.is_cluster() && redirections < MOST_REDIRECTIONS => {
                    redirections += 1;
                    asking = redirect == ServerErrorKind::Ask;
                    let named = slots::redirection(&error, node.host()).ok_or(error)?;
                    node = self.node(named)?;
                    continue;
                }
                // Its text names a server, and errors are logged.
                Some(_) => return Err(misdirected()),
                None => asking = false,
            }
            if is_moving(&error) && Instant::now() < until {
                tokio::time::sleep(MOVING_PAUSE).await;
                node = self.resolve(target).await?;
                continue;
            }
            // A timeout says that Redis is slow, and asking again at once makes it slower.
            if repeated || !(error.is_connection_dropped() || is_read_only(&error)) {
                return Err(error);
            }
            repeated = true;
            let now = self.resolve(target).await?;
            // Who could not be connected to a moment ago cannot be connected to now.
            if !sent && Arc::ptr_eq(&now, &node) {
                return Err(error);
            }
            node = now;
        }
    }

    pub(super) async fn resolve(self: &Arc<Self>, target: &Target) -> RedisResult<Arc<Node>> {
        match target {
            Target::Node(node) => Ok(Arc::clone(node)),
            Target::Slot(slot) => self.owner(*slot).await,
        }
    }
}

/// Whether the server may not be, or not be any more, the one to ask.
fn throws_doubt(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || is_read_only(error)
        || matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::Moved | ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown
            )
        )
}

fn misdirected() -> RedisError {
    let reason = "redirected to another node of a Cluster; REDIS_URL of a Cluster names several";
    RedisError::from((ErrorKind::ClusterConnectionNotFound, reason))
}

fn redirect(error: &RedisError) -> Option<ServerErrorKind> {
    match error.kind() {
        ErrorKind::Server(kind @ (ServerErrorKind::Moved | ServerErrorKind::Ask)) => Some(kind),
        _ => None,
    }
}

/// Some of a command's keys are on one server and some on another, for a moment.
fn is_moving(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::TryAgain)
}
