//! `check`: checks an answer from a file against its sources, claim by claim.

use super::output;
use crate::pipeline::{Candidate, Passage, RankedSource, check, text};
use anyhow::Context as _;
use privachat_core::schema::SourceType;
use serde::{Deserialize, Serialize};
use std::{io::Write, path::Path, process::ExitCode};

/// Sentences shown for one claim.
const MAX_EVIDENCE: usize = 2;

#[derive(Deserialize)]
struct Input {
    answer: String,
    sources: Vec<InputSource>,
}

#[derive(Deserialize)]
struct InputSource {
    title: String,
    url: String,
    text: String,
}

#[derive(Serialize)]
struct Report {
    grounding_score: f64,
    hallucination_count: usize,
    claims: Vec<ClaimReport>,
}

#[derive(Serialize)]
struct ClaimReport {
    claim: String,
    citations: Vec<usize>,
    /// The sources it should cite.
    mended: Vec<usize>,
    support: f64,
    supported: bool,
    evidence: Vec<EvidenceReport>,
}

#[derive(Serialize)]
struct EvidenceReport {
    source: usize,
    sentence: String,
    support: f64,
}

pub(super) fn run(file: &Path, json: bool, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let bytes =
        std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let input: Input = serde_json::from_slice(&bytes)
        .with_context(|| format!("{} has not the expected form", file.display()))?;
    let report = report(input);
    if json {
        output::json(&report, out)?;
    } else {
        print(&report, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn report(input: Input) -> Report {
    let sources: Vec<RankedSource> = input
        .sources
        .into_iter()
        .map(|source| as_ranked(source.title, source.url, &source.text))
        .collect();
    let checked = check::check_by_words(&input.answer, &sources);
    let claims = checked
        .claims
        .into_iter()
        .map(|claim| ClaimReport {
            evidence: evidence(&claim, &sources),
            supported: claim.support >= check::SUPPORTED,
            claim: claim.text,
            citations: claim.citations,
            mended: claim.corrected_citations,
            support: claim.support,
        })
        .collect();
    Report {
        grounding_score: checked.grounding_score,
        hallucination_count: checked.hallucination_count,
        claims,
    }
}

/// The sentences that support a claim best, from the sources that it cites or else from the best
/// one.
fn evidence(claim: &check::Claim, sources: &[RankedSource]) -> Vec<EvidenceReport> {
    let mut numbers = claim.corrected_citations.clone();
    if numbers.is_empty() {
        numbers.extend(claim.best_source.map(|index| index + 1));
    }
    let mut found: Vec<EvidenceReport> = Vec::new();
    for number in numbers {
        let Some(source) = number.checked_sub(1).and_then(|at| sources.get(at)) else {
            continue;
        };
        for passage in &source.passages {
            found.extend(text::sentences(&passage.text).into_iter().map(|sentence| {
                EvidenceReport {
                    source: number,
                    sentence: sentence.to_owned(),
                    support: support(&claim.text, source, sentence),
                }
            }));
        }
    }
    found.retain(|evidence| evidence.support > 0.0);
    found.sort_by(|a, b| b.support.total_cmp(&a.support));
    found.truncate(MAX_EVIDENCE);
    found
}

/// How far one sentence alone supports the claim.
fn support(claim: &str, source: &RankedSource, sentence: &str) -> f64 {
    let alone = as_ranked(
        source.candidate.title.clone(),
        source.candidate.url.clone(),
        sentence,
    );
    check::check_by_words(&format!("{claim} [1]"), &[alone]).grounding_score
}

fn as_ranked(title: String, url: String, text: &str) -> RankedSource {
    let passages = text
        .split("\n\n")
        .filter(|part| !part.trim().is_empty())
        .map(|part| Passage {
            headings: Vec::new(),
            text: part.trim().to_owned(),
            anchor: None,
            score: 1.0,
            semantic_score: None,
        })
        .collect();
    RankedSource {
        candidate: Candidate {
            url,
            title,
            snippet: String::new(),
            providers: Vec::new(),
            fusion_score: 0.0,
            found_by_queries: Vec::new(),
            published: None,
            source_type: SourceType::Web,
            document: None,
        },
        relevance: 1.0,
        semantic_score: None,
        final_score: 1.0,
        passages,
    }
}

fn print(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    for claim in &report.claims {
        let verdict = if claim.supported {
            "supported"
        } else {
            "UNSUPPORTED"
        };
        writeln!(
            out,
            "{verdict} {:.2}  {} {:?}",
            claim.support, claim.claim, claim.citations
        )?;
        if claim.mended != claim.citations {
            writeln!(out, "    should cite {:?}", claim.mended)?;
        }
        for evidence in &claim.evidence {
            writeln!(
                out,
                "    [{}] {:.2}  {}",
                evidence.source, evidence.support, evidence.sentence
            )?;
        }
    }
    writeln!(
        out,
        "\ngrounding {:.2} · unsupported claims {} of {}",
        report.grounding_score,
        report.hallucination_count,
        report.claims.len()
    )
}
