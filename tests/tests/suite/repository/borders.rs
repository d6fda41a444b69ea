//! Module borders and the size of files. ARCHITECTURE.md gives the reasons.

use super::assert_none;
use privachat_tests::project_files::{self, SourceFile};

/// Lines; split files by responsibility long before.
const MAX_FILE_LINES: usize = 400;

/// The modules where jobs and the pipeline may meet: the connection of both, and those that
/// assemble the programs.
const MEETING_PLACES: [&str; 5] = ["daemon", "wiring", "cli", "main.rs", "lib.rs"];

fn under(folder: &str) -> Vec<SourceFile> {
    project_files::rust()
        .into_iter()
        .filter(|source| source.is_under(folder))
        .collect()
}

/// `path: name` for each of `forbidden` that the source uses under `root`.
fn forbidden_uses(source: &SourceFile, root: &str, forbidden: &[&str]) -> Vec<String> {
    let used = source.uses(root);
    let found = forbidden.iter().filter(|name| used.contains(**name));
    found
        .map(|name| format!("{}: {root}::{name}", source.path))
        .collect()
}

fn forbidden_words(source: &SourceFile, forbidden: &[&str]) -> Vec<String> {
    let found = forbidden.iter().filter(|word| source.mentions(word));
    found
        .map(|word| format!("{}: {word}", source.path))
        .collect()
}

#[test]
fn the_api_and_the_worker_do_not_depend_on_each_other_nor_the_core_on_either() {
    let edges = [
        ("crates/api", vec!["worker"]),
        ("crates/worker", vec!["api"]),
        ("crates/core", vec!["api", "worker"]),
    ];
    for (krate, others) in edges {
        let manifest = project_files::file(&format!("{krate}/Cargo.toml"));
        for other in others {
            assert!(
                !manifest.text.contains(&format!("privachat-{other}")),
                "{krate} depends on {other}"
            );
            let name = format!("privachat_{other}");
            assert_none(
                "imports across a border",
                under(krate)
                    .iter()
                    .flat_map(|s| forbidden_words(s, &[&name])),
            );
        }
    }
}

#[test]
fn the_pipeline_does_not_use_redis_the_database_or_jobs() {
    let pipeline = under("crates/worker/src/pipeline");
    assert!(
        !pipeline.is_empty(),
        "the pipeline has moved: update this test"
    );
    let words = [
        "redis",
        "deadpool_redis",
        "diesel",
        "diesel_async",
        "daemon",
    ];
    assert_none(
        "the pipeline uses",
        pipeline
            .iter()
            .flat_map(|source| forbidden_words(source, &words)),
    );
    let core = ["jobs", "history", "keys"];
    assert_none(
        "the pipeline uses",
        pipeline
            .iter()
            .flat_map(|source| forbidden_uses(source, "privachat_core", &core)),
    );
}

#[test]
fn the_job_engine_handles_bytes_and_ids_and_no_search_types() {
    let jobs = under("crates/core/src/jobs");
    let words = [
        "SearchRequest",
        "SearchResponse",
        "privachat_worker",
        "diesel",
        "diesel_async",
    ];
    assert_none(
        "the job engine uses",
        jobs.iter()
            .flat_map(|source| forbidden_words(source, &words)),
    );
    let modules = ["schema", "history"];
    assert_none(
        "the job engine uses",
        jobs.iter()
            .flat_map(|source| forbidden_uses(source, "crate", &modules)),
    );
}

#[test]
fn jobs_and_the_pipeline_meet_in_the_daemon_only() {
    let worker = under("crates/worker/src");
    let met = worker.iter().filter(|source| {
        let inside = source.path.trim_start_matches("crates/worker/src/");
        let allowed = MEETING_PLACES.iter().any(|place| inside.starts_with(place));
        let jobs = source.uses("privachat_core").contains("jobs");
        let pipeline = source.uses("crate").contains("pipeline") || inside.starts_with("pipeline/");
        !allowed && jobs && pipeline
    });
    assert_none(
        "jobs and the pipeline meet in",
        met.map(|source| source.path.clone()),
    );
}

#[test]
fn no_source_file_is_longer_than_400_lines() {
    let long = project_files::rust()
        .into_iter()
        .filter(|source| source.text.lines().count() > MAX_FILE_LINES);
    assert_none("split by responsibility", long.map(|source| source.path));
}

#[test]
fn no_file_has_a_catch_all_name() {
    let drawers = [
        "utils.rs",
        "util.rs",
        "helpers.rs",
        "helper.rs",
        "common.rs",
        "misc.rs",
    ];
    let folders = ["/utils/", "/util/", "/helpers/", "/common/", "/misc/"];
    let named = project_files::rust().into_iter().filter(|source| {
        drawers.contains(&source.name())
            || folders.iter().any(|folder| source.path.contains(folder))
    });
    assert_none("name it after its role", named.map(|source| source.path));
}

#[test]
fn redis_keys_are_written_in_keys_rs_only() {
    let spelled = under("crates").into_iter().filter(|source| {
        let code = source.code();
        let spells = ["\"search_job:", "\"{search_job:", "\"{search}:"]
            .iter()
            .any(|key| code.contains(key));
        spells
            && source.name() != "keys.rs"
            && !source.is_under("crates/core/src/keys")
            && !source.is_test()
    });
    assert_none(
        "take the key from keys.rs",
        spelled.map(|source| source.path),
    );
}

#[test]
fn no_file_names_a_local_folder_or_a_package_mirror() {
    let folders = ["/home/", "/root/", "/Users/", "/work/"];
    let hosts = [
        "index.crates.io",
        "static.crates.io",
        "files.pythonhosted.org",
        "registry.npmjs.org",
    ];
    let offenders = project_files::all().into_iter().filter(|source| {
        let is_this = source.path == "tests/tests/suite/repository/borders.rs";
        let starts_path =
            |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || "/.-_~}".contains(c));
        let names_folder = folders.iter().any(|folder| {
            source
                .text
                .match_indices(folder)
                .any(|(at, _)| source.text.get(..at).is_some_and(starts_path))
        });
        !is_this && (names_folder || hosts.iter().any(|host| source.text.contains(host)))
    });
    assert_none(
        "machine paths and mirrors",
        offenders.map(|source| source.path),
    );
}
