//! The files of this repository: module borders, deploy files, the test harness.

mod alerts;
mod borders;
mod code_map;
mod deploy_files;
mod harness;
mod language;

/// Fails with the list of `offenders` when there is one.
fn assert_none(what: &str, offenders: impl IntoIterator<Item = String>) {
    let offenders: Vec<String> = offenders.into_iter().collect();
    assert!(
        offenders.is_empty(),
        "{what}:\n  {}",
        offenders.join("\n  ")
    );
}
