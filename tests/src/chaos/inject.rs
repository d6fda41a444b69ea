//! Injects the planned faults and ends them again. One task does both, in order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::deployment::Deployment;
use super::faults::{Fault, LOST_REPLY_TIMEOUT};
use super::log::{Entry, Log, now_ms};
use super::plan::{APIS, WORKERS};

const LATENCY: Duration = Duration::from_millis(600);
const POP: &str = "{search}:queue:";
const CLAIM: &str = "*5\r\n$2\r\nOK\r\n:";
const FINISH: &str = "$9\r\ncompleted\r\n";
const CREATE: &str = "$7\r\nCREATED\r\n";

/// Injects and ends all planned faults; returns when the last one has ended.
pub(super) async fn run(deployment: &mut Deployment, plan: &[(Duration, Fault)], log: &Log) {
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
            let (target, swallowed) = (fault.target(deployment), swallowed(&fault, deployment));
            since[number] = (now_ms(), target, swallowed);
            start_fault(&fault, deployment).await;
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
        if lies_in_wait && swallowed(&fault, deployment) == before && waited < LOST_REPLY_TIMEOUT {
            due.push(Reverse((Instant::now() + first_look(&fault), number, true)));
            continue;
        }
        let came = !lies_in_wait || swallowed(&fault, deployment) > before;
        end_fault(&fault, deployment, came).await;
        // No reply came by in time: there was no fault.
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
        deployment.replace_dead_workers();
    }
}

/// A worker that popped a queue entry is killed before it claims the search: within a few
/// milliseconds.
const fn first_look(fault: &Fault) -> Duration {
    match fault {
        Fault::KillAfterPop(_) => Duration::from_millis(2),
        Fault::LosePop(_) | Fault::LoseClaim(_) | Fault::LoseFinish(_) | Fault::LoseCreate(_) => {
            Duration::from_millis(50)
        }
        _ => Duration::MAX,
    }
}

fn swallowed(fault: &Fault, deployment: &Deployment) -> usize {
    match *fault {
        Fault::KillAfterPop(proxy)
        | Fault::LosePop(proxy)
        | Fault::LoseClaim(proxy)
        | Fault::LoseFinish(proxy)
        | Fault::LoseCreate(proxy) => deployment.proxy(proxy).swallowed(),
        _ => 0,
    }
}

async fn start_fault(fault: &Fault, deployment: &mut Deployment) {
    match *fault {
        Fault::KillWorker(worker) => deployment.replace_worker(worker),
        Fault::TermWorker(worker) => deployment.terminate_worker(worker),
        Fault::KillAfterPop(worker) | Fault::LosePop(worker) => {
            deployment.proxy(worker).swallow_reply_with(POP);
        }
        Fault::LoseClaim(worker) => deployment.proxy(worker).swallow_reply_with(CLAIM),
        Fault::LoseFinish(worker) => deployment.proxy(worker).swallow_reply_with(FINISH),
        Fault::LoseCreate(proxy) => deployment.proxy(proxy).swallow_reply_with(CREATE),
        Fault::Freeze(worker, _) => deployment.worker(worker).pause(),
        Fault::KillApi(number) => deployment.restart_api(number).await,
        Fault::KillRedis(_) => deployment.redis.kill(),
        Fault::CutClients => command(deployment, &["CLIENT", "KILL", "TYPE", "normal"]).await,
        Fault::FlushScripts => command(deployment, &["SCRIPT", "FLUSH"]).await,
        // One byte is less than it uses: every write that needs memory fails.
        Fault::FillRedis(_) => command(deployment, &["CONFIG", "SET", "maxmemory", "1"]).await,
        Fault::Hole(proxy, direction, _) => {
            deployment.proxy(proxy).black_hole_towards(direction, true)
        }
        Fault::Latency(proxy, _) => deployment.proxy(proxy).latency(LATENCY),
    }
}

async fn end_fault(fault: &Fault, deployment: &mut Deployment, came: bool) {
    match *fault {
        Fault::TermWorker(worker) => deployment.replace_worker(worker),
        Fault::KillAfterPop(worker) => {
            deployment.proxy(worker).swallow_nothing();
            if came {
                deployment.replace_worker(worker);
            }
        }
        Fault::LosePop(proxy)
        | Fault::LoseClaim(proxy)
        | Fault::LoseFinish(proxy)
        | Fault::LoseCreate(proxy) => deployment.proxy(proxy).swallow_nothing(),
        Fault::Freeze(worker, _) => deployment.worker(worker).resume(),
        Fault::KillRedis(_) => deployment.redis.restart().await,
        Fault::FillRedis(_) => command(deployment, &["CONFIG", "SET", "maxmemory", "0"]).await,
        Fault::Hole(proxy, direction, _) => {
            deployment.proxy(proxy).black_hole_towards(direction, false);
        }
        Fault::Latency(proxy, _) => deployment.proxy(proxy).latency(Duration::ZERO),
        _ => {}
    }
}

/// Sends one command to Redis itself. Errors are ignored while Redis is down: a new Redis has no
/// fault.
async fn command(deployment: &Deployment, words: &[&str]) {
    let Ok(mut connection) = deployment.redis.try_connection().await else {
        return;
    };
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(word);
    }
    let _unanswered: redis::RedisResult<redis::Value> = command.query_async(&mut connection).await;
}

/// Resets every proxy to its initial state.
pub(super) fn restore_proxies(deployment: &Deployment) {
    for number in 0..WORKERS + APIS {
        let proxy = deployment.proxy(number);
        proxy.black_hole(false);
        proxy.latency(Duration::ZERO);
        proxy.swallow_nothing();
    }
}
