//! The read stage: fetches the pages of the best candidates concurrently. A candidate whose page is
//! not read keeps its excerpt.

mod dedupe_redirects;
mod pool;
mod summary;
#[cfg(test)]
mod tests;

use super::{
    candidate::Candidate,
    context::Context,
    deadline::Deadline,
    fetcher::{FetchError, Page},
    progress::ProgressSink,
    search::canonical_url::canonical_url,
};
use pool::FetchPool;
use privachat_core::schema::Stage;
use std::sync::Arc;
use summary::{failure_summary, is_blocked};
use url::Url;

/// Numbers of pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchStats {
    pub read: usize,
    /// Not read, for any reason.
    pub failed: usize,
    /// The failed pages that were not allowed: robots.txt, a bot check, 401, 403, 429, 451.
    pub blocked: usize,
    /// The failed pages that were too slow.
    pub late: usize,
}

/// Reads `pages` pages of candidates without content until `deadline`, best first and preferably in
/// `language`. The next best page replaces one that fails; stragglers are cancelled. One warning
/// says how many pages were not read and why. Candidates that redirect to one page are merged.
pub async fn read(
    context: &Context,
    candidates: &mut Vec<Candidate>,
    pages: usize,
    language: Option<&str>,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> FetchStats {
    let mut pool = FetchPool::new(&*context.fetcher, candidates, pages, language, deadline);
    let total = pool.begun();
    if total == 0 {
        return FetchStats::default();
    }
    sink.stage(Stage::Read, 0, total, format!("Reading {total} pages"));

    let mut done = 0;
    let mut failures = Vec::new();
    while let Some(arrival) = pool.next().await {
        done += 1;
        match (arrival.result, candidates.get_mut(arrival.at)) {
            (Ok(page), Some(candidate)) => store_page(candidate, page),
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
    // Stops the transfers that are still running.
    drop(pool);
    dedupe_redirects::merge_same_pages(candidates);
    if !failures.is_empty() {
        sink.warn(failure_summary(&failures, total));
    }
    FetchStats {
        read: total - failures.len(),
        failed: failures.len(),
        blocked: failures.iter().filter(|error| is_blocked(error)).count(),
        late: failures
            .iter()
            .filter(|error| **error == FetchError::TimedOut)
            .count(),
    }
}

/// Equal for URLs of one page.
fn page_key(address: &str) -> String {
    canonical_url(address)
}

fn unread_pages(candidates: &[Candidate]) -> Vec<(usize, Url)> {
    candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| candidate.document.is_none())
        .filter_map(|(at, candidate)| Some((at, Url::parse(&candidate.url).ok()?)))
        .filter(|(_, url)| matches!(url.scheme(), "http" | "https"))
        .collect()
}

fn store_page(candidate: &mut Candidate, page: Page) {
    // Without a redirect, the URL keeps the fragment from the provider.
    if page_key(&candidate.url) != page_key(page.url.as_str()) {
        candidate.url = page.url.into();
    }
    let document = page.document;
    candidate.published = candidate.published.or(document.published);
    if candidate.title.trim().is_empty() {
        document.title.clone_into(&mut candidate.title);
    }
    candidate.document = Some(Arc::new(document));
}
