//! The faults of a run.

use std::time::Duration;

use super::deployment::Deployment;
use crate::proxy::Direction;

/// Numbers refer to workers, to APIs or (for `Hole`, `Latency`, `LoseCreate`) to proxies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    KillWorker(usize),
    /// SIGTERM: it stops by itself and returns its searches to the queue.
    TermWorker(usize),
    /// SIGKILL between BRPOP and claim: the reply to BRPOP is lost.
    KillAfterPop(usize),
    LosePop(usize),
    LoseClaim(usize),
    LoseFinish(usize),
    LoseCreate(usize),
    /// SIGSTOP, and SIGCONT after more than a lease.
    Freeze(usize, Duration),
    KillApi(usize),
    /// SIGKILL, and a restart on its files after this time.
    KillRedis(Duration),
    CutClients,
    FlushScripts,
    FillRedis(Duration),
    Hole(usize, Direction, Duration),
    Latency(usize, Duration),
}

/// How long to wait for the reply that is to be lost.
pub(super) const LOST_REPLY_TIMEOUT: Duration = Duration::from_secs(2);

impl Fault {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::KillWorker(_) => "kill_worker",
            Self::TermWorker(_) => "term_worker",
            Self::KillAfterPop(_) => "kill_after_pop",
            Self::LosePop(_) => "lose_pop",
            Self::LoseClaim(_) => "lose_claim",
            Self::LoseFinish(_) => "lose_finish",
            Self::LoseCreate(_) => "lose_create",
            Self::Freeze(..) => "freeze",
            Self::KillApi(_) => "kill_api",
            Self::KillRedis(_) => "kill_redis",
            Self::CutClients => "cut_clients",
            Self::FlushScripts => "flush_scripts",
            Self::FillRedis(_) => "fill_redis",
            Self::Hole(_, Direction::Up, _) => "hole_up",
            Self::Hole(_, Direction::Down, _) => "hole_down",
            Self::Latency(..) => "latency",
        }
    }

    /// How long the fault lasts.
    pub(super) const fn length(&self) -> Duration {
        match self {
            Self::Freeze(_, length)
            | Self::KillRedis(length)
            | Self::FillRedis(length)
            | Self::Hole(_, _, length)
            | Self::Latency(_, length) => *length,
            Self::TermWorker(_) => Duration::from_millis(1500),
            Self::KillAfterPop(_)
            | Self::LosePop(_)
            | Self::LoseClaim(_)
            | Self::LoseFinish(_)
            | Self::LoseCreate(_) => LOST_REPLY_TIMEOUT,
            _ => Duration::ZERO,
        }
    }

    pub(super) fn target(&self, deployment: &Deployment) -> String {
        match *self {
            Self::KillApi(number) => format!("api-{number}"),
            Self::KillWorker(proxy)
            | Self::TermWorker(proxy)
            | Self::KillAfterPop(proxy)
            | Self::LosePop(proxy)
            | Self::LoseClaim(proxy)
            | Self::LoseFinish(proxy)
            | Self::LoseCreate(proxy)
            | Self::Freeze(proxy, _)
            | Self::Hole(proxy, _, _)
            | Self::Latency(proxy, _) => deployment.client_name(proxy),
            _ => "redis".to_owned(),
        }
    }
}
