//! Bodies captured from real servers: `tests/fixtures`.

use std::path::PathBuf;

/// The bytes of `fixtures/<name>`, for example `searxng/mixed-one-dead.json`.
pub fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("fixture {name}: {error}"))
}

/// `fixtures/<name>` as text.
pub fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap_or_else(|error| panic!("fixture {name}: {error}"))
}
