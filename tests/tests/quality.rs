//! How good the answers are: floors that nobody may fall through, and `make quality`, the figures.

use privachat_tests::binaries;
use privachat_tests::quality::{Bench, ask, hold, set, table, write};
use std::path::Path;

#[test]
#[ignore = "takes a minute or two: make quality"]
fn figures_of_every_mode() {
    let bench = Bench::new(binaries!().worker);
    let questions = set::questions();
    let mut asked = Vec::new();
    for mode in ["speed", "balanced", "deep"] {
        asked.push(("tuned", mode, ask(&bench, mode, &questions.tuned)));
        asked.push(("reported", mode, ask(&bench, mode, &questions.reported)));
    }
    asked.sort_by_key(|(half, ..)| *half == "reported");
    let answers = set::answers();
    let held = [
        ("tuned", hold(&bench, &answers, &answers.halves.tuned)),
        ("reported", hold(&bench, &answers, &answers.halves.reported)),
    ];
    let table = table(&asked, &held);
    println!("{table}");
    if std::env::var_os("QUALITY_WRITE").is_some() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        write(&docs.join("QUALITY.md"), &table);
    }
}

/// A little under what was measured over the whole set: docs/QUALITY.md.
#[test]
fn answers_and_check_are_no_worse_than_they_were() {
    let bench = Bench::new(binaries!().worker);
    let questions = set::questions();
    let all = [questions.tuned, questions.reported].concat();
    let asked = ask(&bench, "balanced", &all);
    assert!(asked.recall.hits >= 50, "found: {}", asked.recall);
    assert!(asked.gold.hits >= 34, "answered: {}", asked.gold);
    assert!(
        asked.precision.hits * 100 >= 90 * asked.precision.of,
        "cited: {}",
        asked.precision
    );
    assert!(asked.declined.hits >= 4, "declined: {}", asked.declined);
    assert!(asked.accused.hits <= 2, "accused: {}", asked.accused);
    let (right, wrong) = (asked.sure_and_right.value(), asked.sure_and_wrong.value());
    assert!(
        right > wrong + 0.03,
        "sure when right {right}, when wrong {wrong}"
    );

    let answers = set::answers();
    let halves = [&answers.halves.tuned, &answers.halves.reported];
    let [tuned, reported] = halves.map(|half| hold(&bench, &answers, half));
    let found = tuned.found.hits + reported.found.hits;
    let accused = tuned.accused.hits + reported.accused.hits;
    assert!(
        found >= 28,
        "false claims found: {} and {}",
        tuned.found,
        reported.found
    );
    assert!(
        accused <= 4,
        "true claims accused: {} and {}",
        tuned.accused,
        reported.accused
    );
}
