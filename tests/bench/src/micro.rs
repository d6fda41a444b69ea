//! The estimates that Criterion has measured, read from its folder.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// One piece of work and its duration.
pub(crate) struct Piece {
    pub(crate) name: String,
    pub(crate) mean: Duration,
    pub(crate) least: Duration,
    pub(crate) most: Duration,
}

/// Every piece in `folder`, by name.
pub(crate) fn pieces(folder: &Path) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| piece(&entry.path()))
        .collect();
    pieces.sort_by(|a, b| a.name.cmp(&b.name));
    pieces
}

fn piece(folder: &Path) -> Option<Piece> {
    let json = |name: &str| -> Option<Value> {
        let text = fs::read(folder.join("new").join(name)).ok()?;
        serde_json::from_slice(&text).ok()
    };
    let (what, estimates) = (json("benchmark.json")?, json("estimates.json")?);
    let mean = &estimates["mean"];
    let time = |value: &Value| {
        value
            .as_f64()
            .map(|nanos| Duration::from_secs_f64(nanos / 1e9))
    };
    Some(Piece {
        name: what["full_id"].as_str()?.to_owned(),
        mean: time(&mean["point_estimate"])?,
        least: time(&mean["confidence_interval"]["lower_bound"])?,
        most: time(&mean["confidence_interval"]["upper_bound"])?,
    })
}
