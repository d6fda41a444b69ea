//! Routes a command to its server; follows redirections and retries after broken connections.

use super::{
    RESPONSE_TIMEOUT,
    node::{Lane, Node},
    shared::is_read_only,
    slots,
    topology::Topology,
};
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, aio::MultiplexedConnection};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The bound of redirections for one command.
const MAX_REDIRECTIONS: usize = 5;
/// The pause before a retry of a command whose slot is being migrated.
const MIGRATION_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// The destination of a command.
#[derive(Clone)]
pub(super) enum RouteTarget {
    /// The owner of a slot.
    Slot(u16),
    /// This server only.
    Node(Arc<Node>),
}

impl Topology {
    /// Runs `work` on the server of `target`; the second argument of `work` says whether to send
    /// ASKING first. Runs it again after a redirection, and once more after a broken connection if
    /// it `repeats`. Returns the server that answered, too.
    pub(super) async fn run<T, F>(
        self: &Arc<Self>,
        target: &RouteTarget,
        via: Lane,
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
            let sent = failed.may_have_been_sent();
            let error = failed.into_error();
            if invalidates_slot_map(&error) {
                self.invalidate();
            }
            match redirection_kind(&error) {
                Some(redirect) if self.is_cluster() && redirections < MAX_REDIRECTIONS => {
                    redirections += 1;
                    asking = redirect == ServerErrorKind::Ask;
                    let named = slots::redirection_target(&error, node.host()).ok_or(error)?;
                    node = self.node_at(named)?;
                    continue;
                }
                // The original text names a server, and errors are logged.
                Some(_) => return Err(unexpected_redirection()),
                None => asking = false,
            }
            if is_slot_migrating(&error) && Instant::now() < until {
                tokio::time::sleep(MIGRATION_RETRY_INTERVAL).await;
                node = self.resolve(target).await?;
                continue;
            }
            // No retry after a timeout: it would slow a slow Redis down further.
            if repeated || !(error.is_connection_dropped() || is_read_only(&error)) {
                return Err(error);
            }
            repeated = true;
            let now = self.resolve(target).await?;
            // The same server has just refused a connection.
            if !sent && Arc::ptr_eq(&now, &node) {
                return Err(error);
            }
            node = now;
        }
    }

    pub(super) async fn resolve(self: &Arc<Self>, target: &RouteTarget) -> RedisResult<Arc<Node>> {
        match target {
            RouteTarget::Node(node) => Ok(Arc::clone(node)),
            RouteTarget::Slot(slot) => self.owner(*slot).await,
        }
    }
}

/// Whether the error means that the slot map may be outdated.
fn invalidates_slot_map(error: &RedisError) -> bool {
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

fn unexpected_redirection() -> RedisError {
    let reason = "redirected to another node of a Cluster; REDIS_URL of a Cluster names several";
    RedisError::from((ErrorKind::ClusterConnectionNotFound, reason))
}

fn redirection_kind(error: &RedisError) -> Option<ServerErrorKind> {
    match error.kind() {
        ErrorKind::Server(kind @ (ServerErrorKind::Moved | ServerErrorKind::Ask)) => Some(kind),
        _ => None,
    }
}

/// Whether the keys of a command are on two servers for a moment (TRYAGAIN).
fn is_slot_migrating(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::TryAgain)
}
