//! The code map of ARCHITECTURE.md has a row for every module directly under a crate's `src`.

use privachat_tests::project_files;
use std::collections::BTreeSet;
use std::fs;

const CRATES: [&str; 3] = ["core", "api", "worker"];

/// The names in the first column of the table below the heading of this crate.
fn rows(map: &str, krate: &str) -> BTreeSet<String> {
    let heading = format!("### `crates/{krate}`");
    let (_, section) = map.split_once(&heading).expect("a heading for each crate");
    let section = section.split("\n#").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split(" | ").next())
        .flat_map(|names| names.split(", "))
        .map(|name| name.trim_matches('`').to_owned())
        .collect()
}

/// The modules directly under the `src` of this crate: files and folders.
fn modules(krate: &str) -> BTreeSet<String> {
    let folder = project_files::root().join("crates").join(krate).join("src");
    let entries = fs::read_dir(folder).expect("the sources of a crate");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect()
}

#[test]
fn the_code_map_lists_exactly_the_modules_of_each_crate() {
    let map = project_files::file("ARCHITECTURE.md").text;
    for krate in CRATES {
        assert_eq!(rows(&map, krate), modules(krate), "crates/{krate}");
    }
}
