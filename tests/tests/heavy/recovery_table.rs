//! `make recovery`: every row of the crash table many times, with the lease of a deployment.

use futures_util::{FutureExt, StreamExt, stream};
use privachat_tests::recovery::{self, Row};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

fn number(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else {
        return default;
    };
    text.parse()
        .unwrap_or_else(|error| panic!("{name}={text}: {error}"))
}

#[tokio::test]
#[ignore = "takes minutes: make recovery"]
async fn every_row_holds_with_the_lease_of_a_deployment() {
    let _alone = crate::alone().await;
    let rounds = number("RECOVERY_ROUNDS", 20);
    let lease = Duration::from_secs(number("RECOVERY_LEASE", 15));
    let at_once = usize::try_from(number("RECOVERY_AT_ONCE", 6)).expect("a small number");
    let only = std::env::var("RECOVERY_ROWS").unwrap_or_default();
    let rows: Vec<&Row> = recovery::rows()
        .into_iter()
        .filter(|row| row.name.contains(&only))
        .collect();
    assert!(!rows.is_empty(), "no row has {only:?} in its name");

    // In rounds, so that rows that wait for a timer run beside others that do not.
    let plays = (0..rounds).flat_map(|_| rows.iter().enumerate());
    let played: Vec<(usize, Option<Duration>)> = stream::iter(plays)
        .map(|(index, row)| async move {
            let play = row.measure(privachat_tests::binaries!(), lease);
            (index, AssertUnwindSafe(play).catch_unwind().await.ok())
        })
        .buffer_unordered(at_once)
        .collect()
        .await;

    println!("\n{rounds} times each, leases of {lease:?}, {at_once} at once; in seconds");
    println!(
        "{:<52} {:>8} {:>8} {:>8}",
        "row", "median", "worst", "bound"
    );
    let mut broken = 0;
    for (index, row) in rows.iter().enumerate() {
        let of_row = played.iter().filter(|(of, _)| *of == index);
        let (mut times, mut failures) = (Vec::new(), 0);
        for (_, took) in of_row {
            match took {
                Some(took) => times.push(*took),
                None => failures += 1,
            }
        }
        times.sort();
        let bound = row.bound(lease);
        let worst = times.last().copied().unwrap_or_default();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let verdict = match (failures, worst > bound) {
            (0, false) => String::new(),
            (0, true) => "over".to_owned(),
            (failures, _) => format!("{failures} failed"),
        };
        broken += usize::from(!verdict.is_empty());
        println!(
            "{:<52} {:>8.3} {:>8.3} {:>8.0} {verdict}",
            row.name,
            median.as_secs_f64(),
            worst.as_secs_f64(),
            bound.as_secs_f64()
        );
    }
    assert_eq!(broken, 0, "rows exceeded their bound");
}
