//! What can be broken, and how it is mended again. One task does both, in order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::log::{Entry, Log, now_ms};
use super::plan::WORKERS;
use super::stage::Stage;
use crate::proxy::Direction;

/// Numbers are seats of workers, of APIs or (for `Hole`, `Latency`, `LoseCreate`) proxies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    KillWorker(usize),
    /// SIGTERM: it stops by itself, and gives back what it runs.
    TermWorker(usize),
    /// SIGKILL between BRPOP and claim: the reply never comes.
    KillAfterPop(usize),
    LosePop(usize),
    LoseClaim(usize),
    LoseFinish(usize),
    LoseCreate(usize),
    /// SIGSTOP, and SIGCONT after more than a lease.
    Freeze(usize, Duration),
    KillApi(usize),
    /// kill -9, and back on its files after a while.
    KillRedis(Duration),
    CutClients,
    FlushScripts,
    FillRedis(Duration),
    Hole(usize, Direction, Duration),
    Latency(usize, Duration),
}

const LATENCY: Duration = Duration::from_millis(600);
/// How long a reply that shall be lost is waited for.
const AMBUSH: Duration = Duration::from_secs(2);
const POP: &str = "{search}:queue:";
const CLAIM: &str = "*5\r\n$2\r\nOK\r\n:";
const FINISH: &str = "$9\r\ncompleted\r\n";
const CREATE: &str = "$7\r\nCREATED\r\n";

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

    /// How long until it is mended.
    const fn length(&self) -> Duration {
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
            | Self::LoseCreate(_) => AMBUSH,
            _ => Duration::ZERO,
        }
    }

    fn target(&self, stage: &Stage) -> String {
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
            | Self::Latency(proxy, _) => stage.client_name(proxy),
            _ => "redis".to_owned(),
        }
    }
}

/// Breaks and mends as planned, until all is whole again.
pub(super) async fn run(stage: &mut Stage, plan: &[(Duration, Fault)], log: &Log) {
    let start = Instant::now();
    let mut due: BinaryHeap<Reverse<(Instant, usize, bool)>> = plan
        .iter()
        .enumerate()
        .map(|(number, (at, _))| Reverse((start + *at, number, false)))
        .collect();
    let mut since = vec![(0, String::new(), 0); plan.len()];
    while let Some(Reverse((at, number, begun))) = due.pop() {
        sleep_until(at).await;
        let fault = plan[number].1;
        if !begun {
            let (target, swallowed) = (fault.target(stage), swallowed(&fault, stage));
            since[number] = (now_ms(), target, swallowed);
            start_fault(&fault, stage).await;
            due.push(Reverse((
                Instant::now() + fault.length().min(first_look(&fault)),
                number,
                true,
            )));
            continue;
        }
        let (from, target, before) = since[number].clone();
        let waited = Duration::from_millis(now_ms() - from);
        let lies_in_wait = first_look(&fault) < fault.length();
        if lies_in_wait && swallowed(&fault, stage) == before && waited < AMBUSH {
            due.push(Reverse((Instant::now() + first_look(&fault), number, true)));
            continue;
        }
        let came = !lies_in_wait || swallowed(&fault, stage) > before;
        end_fault(&fault, stage, came).await;
        // An ambush that nobody came by was none.
        if came {
            let from = if lies_in_wait { now_ms() } else { from };
            let (name, until) = (fault.name().to_owned(), now_ms());
            log.note(Entry::Fault {
                name,
                target,
                from,
                until,
            });
        }
        stage.look_after_workers();
    }
}

/// A worker that has popped a hint is killed before it claims it: within a few milliseconds.
const fn first_look(fault: &Fault) -> Duration {
    match fault {
        Fault::KillAfterPop(_) => Duration::from_millis(2),
        Fault::LosePop(_) | Fault::LoseClaim(_) | Fault::LoseFinish(_) | Fault::LoseCreate(_) => {
            Duration::from_millis(50)
        }
        _ => Duration::MAX,
    }
}

fn swallowed(fault: &Fault, stage: &Stage) -> usize {
    match *fault {
        Fault::KillAfterPop(proxy)
        | Fault::LosePop(proxy)
        | Fault::LoseClaim(proxy)
        | Fault::LoseFinish(proxy)
        | Fault::LoseCreate(proxy) => stage.proxy(proxy).swallowed(),
        _ => 0,
    }
}

async fn start_fault(fault: &Fault, stage: &mut Stage) {
    match *fault {
        Fault::KillWorker(seat) => stage.replace_worker(seat),
        Fault::TermWorker(seat) => stage.dismiss_worker(seat),
        Fault::KillAfterPop(seat) | Fault::LosePop(seat) => {
            stage.proxy(seat).swallow_reply_with(POP);
        }
        Fault::LoseClaim(seat) => stage.proxy(seat).swallow_reply_with(CLAIM),
        Fault::LoseFinish(seat) => stage.proxy(seat).swallow_reply_with(FINISH),
        Fault::LoseCreate(proxy) => stage.proxy(proxy).swallow_reply_with(CREATE),
        Fault::Freeze(seat, _) => stage.worker(seat).pause(),
        Fault::KillApi(number) => stage.restart_api(number).await,
        Fault::KillRedis(_) => stage.redis.kill(),
        Fault::CutClients => command(stage, &["CLIENT", "KILL", "TYPE", "normal"]).await,
        Fault::FlushScripts => command(stage, &["SCRIPT", "FLUSH"]).await,
        // One byte is less than it uses: nothing may be added.
        Fault::FillRedis(_) => command(stage, &["CONFIG", "SET", "maxmemory", "1"]).await,
        Fault::Hole(proxy, direction, _) => stage.proxy(proxy).black_hole_towards(direction, true),
        Fault::Latency(proxy, _) => stage.proxy(proxy).latency(LATENCY),
    }
}

async fn end_fault(fault: &Fault, stage: &mut Stage, came: bool) {
    match *fault {
        Fault::TermWorker(seat) => stage.replace_worker(seat),
        Fault::KillAfterPop(seat) => {
            stage.proxy(seat).swallow_nothing();
            if came {
                stage.replace_worker(seat);
            }
        }
        Fault::LosePop(proxy)
        | Fault::LoseClaim(proxy)
        | Fault::LoseFinish(proxy)
        | Fault::LoseCreate(proxy) => stage.proxy(proxy).swallow_nothing(),
        Fault::Freeze(seat, _) => stage.worker(seat).resume(),
        Fault::KillRedis(_) => stage.redis.restart().await,
        Fault::FillRedis(_) => command(stage, &["CONFIG", "SET", "maxmemory", "0"]).await,
        Fault::Hole(proxy, direction, _) => {
            stage.proxy(proxy).black_hole_towards(direction, false);
        }
        Fault::Latency(proxy, _) => stage.proxy(proxy).latency(Duration::ZERO),
        _ => {}
    }
}

/// One command to Redis itself. While it is down there is nobody to tell: a new Redis is whole.
async fn command(stage: &Stage, words: &[&str]) {
    let Ok(mut connection) = stage.redis.try_connection().await else {
        return;
    };
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(word);
    }
    let _unanswered: redis::RedisResult<redis::Value> = command.query_async(&mut connection).await;
}

/// Every proxy as it was at first.
pub(super) fn mend(stage: &Stage) {
    for number in 0..WORKERS + super::plan::APIS {
        let proxy = stage.proxy(number);
        proxy.black_hole(false);
        proxy.latency(Duration::ZERO);
        proxy.swallow_nothing();
    }
}
