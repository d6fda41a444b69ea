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
