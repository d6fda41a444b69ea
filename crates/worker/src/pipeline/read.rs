//! Read: the pages behind the best results, all at once; what is late keeps its excerpt.

use super::{
    candidate::Candidate,
    context::Context,
    deadline::Deadline,
    document::Document,
    fetcher::{FetchError, PageFetcher},
    progress::ProgressSink,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use privachat_core::schema::Stage;
use std::sync::Arc;
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
}

/// Reads up to `pages` pages of candidates whose content is not there yet, best first, until
/// `deadline`. Pages that cannot be read keep their excerpt, and one warning says how many and why.
#[expect(
    clippy::ptr_arg,
    reason = "two results that lead to one page become one"
)]
pub async fn read(
    context: &Context,
    candidates: &mut Vec<Candidate>,
    pages: usize,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Tally {
    let fetcher = &*context.fetcher;
    let wanted = unread(candidates, pages);
    let total = wanted.len();
    if total == 0 {
        return Tally::default();
    }
    sink.stage(Stage::Read, 0, total, format!("Reading {total} pages"));

    let mut running: FuturesUnordered<_> = wanted
        .into_iter()
        .map(|(at, url)| async move { (at, fetch(fetcher, &url, deadline).await) })
        .collect();
    let mut done = 0;
    let mut failures = Vec::new();
    while let Some((at, result)) = running.next().await {
        done += 1;
        match (result, candidates.get_mut(at)) {
            (Ok(document), Some(candidate)) => keep(candidate, document),
            (Err(error), _) => failures.push(error),
            (Ok(_), None) => {}
        }
        sink.stage(Stage::Read, done, total, format!("{done} of {total} pages"));
    }
    if !failures.is_empty() {
        sink.warn(summary(&failures, total));
    }
    Tally {
        read: total - failures.len(),
        failed: failures.len(),
        blocked: failures.iter().filter(|error| is_refusal(error)).count(),
    }
}

fn is_refusal(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::Forbidden(_)
            | FetchError::Status(401 | 403 | 429 | 451)
            | FetchError::NoContent("a bot check")
    )
}

fn unread(candidates: &[Candidate], limit: usize) -> Vec<(usize, Url)> {
    candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| candidate.document.is_none())
        .filter_map(|(at, candidate)| Some((at, Url::parse(&candidate.url).ok()?)))
        .filter(|(_, url)| matches!(url.scheme(), "http" | "https"))
        .take(limit)
        .collect()
}

async fn fetch(
    fetcher: &dyn PageFetcher,
    url: &Url,
    deadline: Deadline,
) -> Result<Document, FetchError> {
    let page = deadline
        .cut(fetcher.fetch(url, deadline))
        .await
        .unwrap_or(Err(FetchError::TimedOut))?;
    if page.document.is_empty() {
        return Err(FetchError::NoContent("empty"));
    }
    Ok(page.document)
}

fn keep(candidate: &mut Candidate, document: Document) {
    candidate.published = candidate.published.or(document.published);
    if candidate.title.trim().is_empty() {
        document.title.clone_into(&mut candidate.title);
    }
    candidate.document = Some(Arc::new(document));
}

/// "2 of 5 pages could not be read: 1 too slow, 1 HTTP 403".
fn summary(failures: &[FetchError], total: usize) -> String {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for reason in failures.iter().map(ToString::to_string) {
        match counted.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => counted.push((reason, 1)),
        }
    }
    // The order in which pages happened to fail says nothing.
    counted.sort_by(|(a, many), (b, few)| few.cmp(many).then_with(|| b.cmp(a)));
    let reasons: Vec<String> = counted
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    format!(
        "{} of {total} pages could not be read: {}",
        failures.len(),
        reasons.join(", ")
    )
}

#[cfg(test)]
mod tests;
