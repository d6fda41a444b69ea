//! Bodies captured from real servers, for tests.

use std::path::Path;

/// The bytes of `fixtures/<name>`.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The JSON body inside a capture that also holds the head before it or the timing line after it.
pub(crate) fn json(name: &str) -> Vec<u8> {
    let all = bytes(name);
    let start = all.iter().position(|byte| *byte == b'{').unwrap();
    let end = all.iter().rposition(|byte| *byte == b'}').unwrap();
    all.get(start..=end).unwrap().to_vec()
}
