//! The chaos test: many searches under random faults. `make chaos` runs the long form, and
//! `CHAOS_SEED=… make chaos` repeats a plan.

use std::env;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use privachat_tests::chaos::{self, Settings, check, report};

/// Searches of the short form; the rate below is per second.
const JOBS: usize = 400;
const RATE: f64 = 20.0;
const LONG_RUN_RATE: f64 = 40.0;
/// Short enough that the short form includes each kind of fault.
const FAULT_INTERVAL: Duration = Duration::from_millis(1000);
/// Time to recover from a fault before the next one, now and then.
const RECOVERY_PAUSE: Duration = Duration::from_secs(10);
const JOBS_WITHOUT_PAUSES: usize = 2000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_searches_end_exactly_once_under_faults() {
    let _alone = crate::alone().await;
    let jobs = number("CHAOS_JOBS").map_or(JOBS, |jobs| jobs as usize);
    let settings = Settings {
        seed: number("CHAOS_SEED").unwrap_or_else(fresh_seed),
        jobs,
        rate: if jobs > JOBS { LONG_RUN_RATE } else { RATE },
        fault_interval: FAULT_INTERVAL,
        recovery_pause: if jobs > JOBS_WITHOUT_PAUSES {
            RECOVERY_PAUSE
        } else {
            Duration::ZERO
        },
    };
    let seed = settings.seed;
    println!("CHAOS_SEED={seed} CHAOS_JOBS={jobs}");
    let binaries = privachat_tests::binaries!();
    let started = Instant::now();
    let log = chaos::run(binaries, settings).await;
    let path = log.write(&chaos::folder(binaries), seed);
    let entries = log.entries();
    println!("{}", report::summary(&entries, started.elapsed()));
    let violations = check::violations(&entries);
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(
        violations.is_empty(),
        "{}\n{} violations; the log is {}; again: CHAOS_SEED={seed} CHAOS_JOBS={jobs} make chaos",
        lines.join("\n"),
        lines.len(),
        path.display(),
    );
}

/// A setting of the environment; panics when it is no number.
fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

fn fresh_seed() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_millis() as u64 % 1_000_000_000
}
