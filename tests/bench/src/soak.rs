//! The service under load for a long time: `make soak`. Growth over time under constant load is a
//! leak, and shows as a difference between the first third and the last.

mod load;
mod watch;

use crate::redis::deployed;
use crate::scale::number;
use crate::sites::service_on;
use load::Counts;
use privachat_tests::upstream::searxng;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use watch::{Idle, Watch};

/// The lifetime of a record: short, so that soon as many expire as are created.
const TTL_SECONDS: u64 = 60;
/// Until then, and until every pool and buffer has its size.
const SETTLING_TIME: Duration = Duration::from_secs(TTL_SECONDS + 15);
/// How long the highest rate of the service is measured, before it is halved.
const TRIAL_TIME: Duration = Duration::from_secs(10);
/// Clients of that measurement: enough for the highest rate.
const TRIAL_CLIENTS: u64 = 16;
/// Clients at once before it. A pause of the machine during a soak opens a connection for each
/// search in it, and a process keeps in its pools and its allocator what it has needed for them
/// once (docs/adr/0006-where-the-time-goes.md): so the peak comes first, and no later one counts as
/// growth.
const PEAK_CLIENTS: u64 = 500;
/// How long a client keeps an idle connection. With the default of 90 s, pauses of the machine that
/// come more often would look like a leak of the API: each opens hundreds of connections.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(1);
/// Until a service without load has closed its connections and its allocator has returned what it
/// can.
const IDLE_TIME: Duration = Duration::from_secs(120);

pub(crate) async fn run() -> ExitCode {
    let span = Duration::from_secs_f64(60.0 * number("SOAK_MINUTES", 30.0));
    let web = searxng::finding(searxng::about_python());
    let (address, ttl) = (web.url(), TTL_SECONDS.to_string());
    let settings = [
        ("SEARXNG_BASE_URL", address.as_str()),
        ("JOB_TTL_SECONDS", ttl.as_str()),
        ("HISTORY_MAX", "1000"),
        ("LOG_LEVEL", "warn"),
    ];
    let mut stack = service_on(deployed(), 1, &settings).await;
    let client = stack.client().with_pool_idle_timeout(POOL_IDLE_TIMEOUT);
    // Both are up once they have answered.
    load::most(&client, 1, Duration::from_secs(1)).await;
    let before = Idle::of(&mut stack);
    load::most(&client, PEAK_CLIENTS, TRIAL_TIME).await;
    let most = load::most(&client, TRIAL_CLIENTS, TRIAL_TIME).await;
    let rate = number("SOAK_RATE", most / 2.0);
    tokio::time::sleep(IDLE_TIME).await;
    let crowded = Idle::of(&mut stack);
    println!(
        "{most:.0} searches a second at most; now {rate:.0} a second for {:.1} minutes, after {} s to settle",
        span.as_secs_f64() / 60.0,
        SETTLING_TIME.as_secs()
    );
    let counts = Arc::<Counts>::default();
    let load = tokio::spawn(load::hold(client, rate, Arc::clone(&counts)));
    tokio::time::sleep(SETTLING_TIME).await;
    let mut watch = Watch::new(&mut stack).await;
    watch.run(span).await;
    load.abort();
    println!("{}", watch.table());
    tokio::time::sleep(IDLE_TIME).await;
    let after = Idle::of(&mut stack);
    println!(
        "without load: {before} at first, {crowded} after {PEAK_CLIENTS} clients at once, {after} at the end"
    );
    let mut faults = watch.grown();
    let (good, bad) = (
        counts.good.load(Ordering::Relaxed),
        counts.bad.load(Ordering::Relaxed),
    );
    println!("{good} searches ended as they should, {bad} did not");
    if bad > 0 {
        faults.push(format!("{bad} searches went wrong"));
    }
    if faults.is_empty() {
        println!("flat");
        return ExitCode::SUCCESS;
    }
    println!("not flat: {}", faults.join("; "));
    ExitCode::FAILURE
}
