//! A clock that is wrong.

use crate::process::isolated;
use crate::programs::Environment;

const AHEAD: &str = "+90s";

/// The settings that give a program another time of day. `faketime` knows where its library is; a
/// program run under it would be its child and survive it.
pub(super) fn environment() -> Environment {
    let output = isolated("faketime")
        .args(["-m", "-f", AHEAD, "env"])
        .output();
    let output = output.expect("faketime");
    let library = String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("LD_PRELOAD=").map(str::to_owned))
        .expect("faketime is not here: apt-get install faketime (or: make test)");
    [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME", AHEAD),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
