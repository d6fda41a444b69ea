//! The worker checks answers with known false claims against their sources.

use super::{CorpusWorker, Share, dataset::Answers, dataset::PlantedAnswer};
use serde_json::{Value, json};
use std::fs;

/// How many of the planted claims were judged correctly.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClaimScores {
    /// False claims, and wrong citations of true ones, that were reported.
    pub found: Share,
    /// True claims with the right citation that were reported as unsupported or cited anew.
    pub accused: Share,
    /// Wrong citations that were replaced by the right ones.
    pub mended: Share,
}

/// Lets the worker check each of `planted`. With QUALITY_SHOW set, prints the mistakes.
pub fn check_claims(
    worker: &CorpusWorker,
    answers: &Answers,
    planted: &[PlantedAnswer],
) -> ClaimScores {
    let numbered: Vec<(usize, &PlantedAnswer)> = planted.iter().enumerate().collect();
    let reports = worker.side_by_side(&numbered, |(number, planted)| {
        let texts: Vec<&str> = planted
            .claims
            .iter()
            .map(|claim| claim.text.as_str())
            .collect();
        let sources: Vec<Value> = planted
            .sources
            .iter()
            .map(|name| {
                let source = &answers.sources[name];
                let url = format!("https://{name}.example.org/");
                json!({"title": source["title"], "url": url, "text": source["text"]})
            })
            .collect();
        let input = json!({"answer": texts.join(" "), "sources": sources});
        let file = worker
            .folder()
            .join(format!("{}-{number}.json", planted.claims[0].text.len()));
        fs::write(&file, input.to_string()).expect("room for a file");
        worker.json(&["check", &file.display().to_string(), "--json"])
    });
    let mut held = ClaimScores::default();
    for (planted, report) in planted.iter().zip(&reports) {
        held.count(planted, report);
    }
    held
}

impl ClaimScores {
    fn count(&mut self, planted: &PlantedAnswer, report: &Value) {
        let claims = report["claims"].as_array().expect("claims");
        assert_eq!(claims.len(), planted.claims.len(), "{report}");
        for (planted_claim, claim) in planted.claims.iter().zip(claims) {
            let written = numbers(&claim["citations"]);
            // The corrected text; older reports correct nothing.
            let shown = match &claim["mended"] {
                Value::Null => written.clone(),
                mended => numbers(mended),
            };
            let noticed = claim["supported"] == json!(false) || shown != written;
            let right = shown == planted_claim.carried_by;
            let holds = !planted_claim.carried_by.is_empty() && written == planted_claim.carried_by;
            if holds {
                self.accused.add(noticed);
            } else {
                self.found.add(noticed);
            }
            if !holds && !planted_claim.carried_by.is_empty() {
                self.mended.add(right);
            }
            if noticed == holds && std::env::var_os("QUALITY_SHOW").is_some() {
                let what = if holds { "accused" } else { "missed" };
                println!(
                    "{what} ({}) {} · {}",
                    planted.kind, claim["support"], planted_claim.text
                );
            }
        }
    }
}

fn numbers(list: &Value) -> Vec<usize> {
    let numbers = list.as_array().into_iter().flatten();
    let mut numbers: Vec<usize> = numbers
        .filter_map(|number| usize::try_from(number.as_u64()?).ok())
        .collect();
    numbers.sort_unstable();
    numbers
}
