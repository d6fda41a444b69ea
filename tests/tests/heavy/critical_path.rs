//! A search makes no call later than necessary: a call that needs no other answer starts before
//! that answer arrives. `make bench` (pipeline) measures the time.

use privachat_core::mode::Mode;
use privachat_tests::critical_path::{Call, Gate, Planned, SEARCHES};
use privachat_tests::{binaries, eventually};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A call that is made only after another answer never comes while all answers are held back.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The calls of a search in turns: all calls of a turn start before the first of them is answered,
/// and each turn needs the answers of the turn before.
fn turns(mode: Mode, planned: Planned) -> Vec<Vec<Call>> {
    let pages = match mode {
        Mode::Speed => return vec![vec![Call::SearchForTheQuestion], vec![Call::Answer]],
        Mode::Balanced => 5,
        Mode::Deep => 12,
    };
    let mut turns = vec![vec![Call::Plan, Call::SearchForTheQuestion]];
    if planned == Planned::Another {
        turns.push(vec![Call::SearchForThePlan]);
    }
    turns.push(vec![Call::Page; pages]);
    turns.push(vec![Call::Answer]);
    turns
}

fn kinds(calls: &[Call]) -> BTreeSet<Call> {
    calls.iter().copied().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mode_makes_no_call_later_than_necessary() {
    let _alone = crate::alone().await;
    for (mode, planned) in SEARCHES {
        let (name, turns) = (format!("{mode}, {planned:?}"), turns(mode, planned));
        let gate = Arc::new(Gate::default());
        let searching = Arc::clone(&gate);
        let search =
            tokio::spawn(async move { searching.search(binaries!(), mode, planned).await });
        for (turn, expected) in turns.iter().enumerate() {
            let what = format!("{name}: the calls of turn {turn} are all under way");
            eventually(&what, TIMEOUT, async || {
                (gate.calls_of_turn(turn).len() >= expected.len()).then_some(())
            })
            .await;
            gate.open();
        }
        let outcome = search.await.unwrap();
        assert_eq!(outcome.model_used, "double", "{:?}", outcome.warnings);
        let was_read = outcome.source_details.iter().any(|source| source.fetched);
        assert_eq!(was_read, mode != Mode::Speed, "{name}");
        for (turn, expected) in turns.iter().enumerate() {
            assert_eq!(
                kinds(&gate.calls_of_turn(turn)),
                kinds(expected),
                "{name}: {turn}"
            );
        }
        assert_eq!(
            gate.calls_of_turn(turns.len()),
            [],
            "{name}: one call too late"
        );
    }
}
