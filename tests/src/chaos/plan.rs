//! From a seed to the searches and the faults of a run, with their times. Nothing else has an
//! influence.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::faults::Fault;
use crate::proxy::Direction;

pub(super) const WORKERS: usize = 4;
pub(super) const APIS: usize = 2;

/// A run, completely determined before it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) submissions: Vec<Submission>,
    pub(super) faults: Vec<(Duration, Fault)>,
}

/// One search and how it is posted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Submission {
    /// Since the start of the run.
    pub(super) at: Duration,
    pub(super) token: String,
    pub(super) mode: &'static str,
    pub(super) sync: bool,
    /// Seconds; None for the mode's default.
    pub(super) timeout: Option<u64>,
    pub(super) key: Option<String>,
    /// POSTs sent at once with one key.
    pub(super) copies: usize,
    /// The last copy has a different body.
    pub(super) conflicting: bool,
    /// Cancelled this long after it was accepted.
    pub(super) cancel: Option<Duration>,
    /// The API that is tried first.
    pub(super) api: usize,
}

impl Plan {
    /// `jobs` searches, evenly over `length`, with a fault about every `fault_interval`. One fault
    /// in five is followed by a `recovery_pause`, in which its effects are not mixed with others.
    pub(super) fn new(
        seed: u64,
        jobs: usize,
        length: Duration,
        fault_interval: Duration,
        recovery_pause: Duration,
    ) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let submissions = (0..jobs)
            .map(|number| {
                let share = rng.random_range(0.0..1.0);
                submission(&mut rng, number, length.mul_f64(share))
            })
            .collect();
        Self {
            seed,
            submissions,
            faults: faults(&mut rng, length, fault_interval, recovery_pause),
        }
    }
}

fn submission(rng: &mut StdRng, number: usize, at: Duration) -> Submission {
    let mode = match rng.random_range(0..10) {
        0 => "deep",
        1 | 2 => "balanced",
        _ => "speed",
    };
    let sync = rng.random_bool(0.1);
    let keyed = rng.random_bool(0.7);
    let copies = match keyed && rng.random_bool(0.2) {
        true => rng.random_range(2..=5),
        false => 1,
    };
    let cancel = rng.random_range(0..2000);
    Submission {
        at,
        token: format!("t{number}x"),
        mode,
        sync,
        timeout: rng.random_bool(0.3).then_some(20),
        key: keyed.then(|| format!("key-{number}")),
        copies,
        conflicting: copies > 1 && rng.random_bool(0.4),
        cancel: (!sync && rng.random_bool(0.1)).then(|| Duration::from_millis(cancel)),
        api: rng.random_range(0..APIS),
    }
}

/// Every kind once in random order, repeated until the time is over.
fn faults(
    rng: &mut StdRng,
    length: Duration,
    fault_interval: Duration,
    recovery_pause: Duration,
) -> Vec<(Duration, Fault)> {
    let mut faults = Vec::new();
    let mut at = fault_interval;
    loop {
        let mut round = round(rng);
        round.shuffle(rng);
        for fault in round {
            if at >= length {
                return faults;
            }
            faults.push((at, fault));
            at += fault_interval.mul_f64(rng.random_range(0.5..1.5));
            if rng.random_bool(0.2) {
                at += recovery_pause;
            }
        }
    }
}

fn round(rng: &mut StdRng) -> Vec<Fault> {
    let mut worker = || rng.random_range(0..WORKERS);
    let mut round = vec![
        Fault::KillWorker(worker()),
        Fault::KillWorker(worker()),
        Fault::TermWorker(worker()),
        Fault::KillAfterPop(worker()),
        Fault::LosePop(worker()),
        Fault::LoseClaim(worker()),
        Fault::LoseFinish(worker()),
    ];
    let mut millis = |from, to| Duration::from_millis(rng.random_range(from..to));
    let (freeze, hole_up, hole_down) = (millis(3500, 6000), millis(1000, 7000), millis(1000, 7000));
    let (slow, full, down) = (millis(2000, 5000), millis(1000, 3000), millis(0, 1500));
    round.extend([
        Fault::Freeze(rng.random_range(0..WORKERS), freeze),
        Fault::KillApi(rng.random_range(0..APIS)),
        Fault::LoseCreate(WORKERS + rng.random_range(0..APIS)),
        Fault::KillRedis(down),
        Fault::CutClients,
        Fault::FlushScripts,
        Fault::FillRedis(full),
    ]);
    let mut proxy = || rng.random_range(0..WORKERS + APIS);
    round.extend([
        Fault::Hole(proxy(), Direction::Up, hole_up),
        Fault::Hole(proxy(), Direction::Down, hole_down),
        Fault::Latency(proxy(), slow),
    ]);
    round
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> Plan {
        Plan::new(
            seed,
            300,
            Duration::from_secs(20),
            Duration::from_millis(500),
            Duration::ZERO,
        )
    }

    #[test]
    fn a_seed_makes_the_same_plan_each_time_and_another_seed_another() {
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7).faults, plan(8).faults);
    }

    #[test]
    fn a_long_plan_has_every_kind_of_fault() {
        let mut rng = StdRng::seed_from_u64(1);
        let kinds = |faults: Vec<Fault>| -> std::collections::BTreeSet<&str> {
            faults.iter().map(Fault::name).collect()
        };
        let planned = plan(3).faults.into_iter().map(|(_, fault)| fault).collect();
        assert_eq!(kinds(planned), kinds(round(&mut rng)));
    }
}
