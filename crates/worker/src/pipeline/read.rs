//! Read: the pages behind the best results, all at once; what is late keeps its excerpt.

use super::{
    candidate::Candidate,
    deadline::Deadline,
    document::Document,
    fetcher::{FetchError, PageFetcher},
    progress::ProgressSink,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use privachat_core::schema::Stage;
use std::sync::Arc;
use url::Url;

/// Reads up to `limit` pages of candidates whose content is not there yet, best first, until
/// `deadline`. Pages that cannot be read keep their excerpt, and one warning says how many and why.
pub async fn read(
    fetcher: &dyn PageFetcher,
    candidates: &mut [Candidate],
    limit: usize,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) {
    let wanted = unread(candidates, limit);
    let total = wanted.len();
    if total == 0 {
        return;
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
