//! Read: the pages behind the best results, all at once; what is late keeps its excerpt.

mod pool;
mod same_page;
mod summary;
#[cfg(test)]
mod tests;

use super::{
    candidate::Candidate,
    context::Context,
    deadline::Deadline,
    fetcher::{FetchError, Page},
    progress::ProgressSink,
    search::canonical::canonical,
};
use pool::Pool;
use privachat_core::schema::Stage;
use std::sync::Arc;
use summary::{is_refusal, summary};
use url::Url;

/// How many pages were read and how many were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pages that were read.
    pub read: usize,
    /// Pages that could not be read, for whatever reason.
    pub failed: usize,
    /// Those of them that refused to be read: robots.txt, a bot check, 401, 403, 429.
    pub blocked: usize,
    /// Those of them that were too slow.
    pub late: usize,
}

/// Reads `pages` pages of candidates whose content is not there yet, best first and in `language`
/// where there is a choice, until `deadline`.
/// The next best page takes the place of one that cannot be read; the last pages are not waited for
/// much longer than the others took. Pages that are not read keep their excerpt, and one warning
/// says how many and why. Candidates that turn out to be one page become one.
pub async fn read(
    context: &Context,
    candidates: &mut Vec<Candidate>,
    pages: usize,
    language: Option<&str>,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Tally {
    let mut pool = Pool::new(&*context.fetcher, candidates, pages, language, deadline);
    let total = pool.begun();
    if total == 0 {
        return Tally::default();
    }
    sink.stage(Stage::Read, 0, total, format!("Reading {total} pages"));

    let mut done = 0;
    let mut failures = Vec::new();
    while let Some(arrival) = pool.next().await {
        done += 1;
        match (arrival.result, candidates.get_mut(arrival.at)) {
            (Ok(page), Some(candidate)) => keep(candidate, page),
            (Err(error), _) => failures.push(error),
            (Ok(_), None) => {}
        }
        let total = pool.begun();
        sink.stage(Stage::Read, done, total, format!("{done} of {total} pages"));
    }
    let total = pool.begun();
    if done < total {
        failures.extend(std::iter::repeat_n(FetchError::TimedOut, total - done));
        sink.stage(
            Stage::Read,
            total,
            total,
            format!("{total} of {total} pages"),
        );
    }
    // Ends the transfers that are still running.
    drop(pool);
    same_page::join(candidates);
    if !failures.is_empty() {
        sink.warn(summary(&failures, total));
    }
    Tally {
        read: total - failures.len(),
        failed: failures.len(),
        blocked: failures.iter().filter(|error| is_refusal(error)).count(),
        late: failures
            .iter()
            .filter(|error| **error == FetchError::TimedOut)
            .count(),
    }
}

/// What two addresses of one page have in common.
fn identity(address: &str) -> String {
    canonical(address)
}

fn unread(candidates: &[Candidate]) -> Vec<(usize, Url)> {
    candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| candidate.document.is_none())
        .filter_map(|(at, candidate)| Some((at, Url::parse(&candidate.url).ok()?)))
        .filter(|(_, url)| matches!(url.scheme(), "http" | "https"))
        .collect()
}

fn keep(candidate: &mut Candidate, page: Page) {
    // The fragment that a provider gave stays when the page did not move.
    if identity(&candidate.url) != identity(page.url.as_str()) {
        candidate.url = page.url.into();
    }
    let document = page.document;
    candidate.published = candidate.published.or(document.published);
    if candidate.title.trim().is_empty() {
        document.title.clone_into(&mut candidate.title);
    }
    candidate.document = Some(Arc::new(document));
}
