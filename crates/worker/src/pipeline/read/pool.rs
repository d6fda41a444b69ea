//! Fetches as many pages as are wanted concurrently, starts the next best one for each that fails,
//! and cancels stragglers.

use super::{page_key, unread_pages};
use crate::pipeline::{Candidate, Deadline, FetchError, Page, PageFetcher};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{collections::HashSet, time::Duration, vec::IntoIter};
use tokio::time::Instant;
use url::Url;

/// The last pages get as long as the slowest one took, and at least this.
const MIN_STRAGGLER_TIME: Duration = Duration::from_millis(700);
/// The same while fewer than [`FEW_PAGES`] pages are fetched: then each one matters.
const MIN_STRAGGLER_TIME_FEW_PAGES: Duration = Duration::from_secs(2);
const FEW_PAGES: usize = 4;
/// With less time than this, no replacement is started.
const MIN_FETCH_TIME: Duration = Duration::from_millis(500);

/// The result of one fetch.
pub(super) struct Fetched {
    /// An index into the candidates.
    pub(super) at: usize,
    pub(super) result: Result<Page, FetchError>,
}

/// The fetches of one search.
pub(super) struct FetchPool<'a> {
    fetcher: &'a dyn PageFetcher,
    language: Option<&'a str>,
    deadline: Deadline,
    waiting: IntoIter<(usize, Url)>,
    running: FuturesUnordered<BoxFuture<'a, (Fetched, Duration)>>,
    wanted: usize,
    begun: usize,
    /// The canonical URLs of the pages that were read.
    read: HashSet<String>,
    fetched: usize,
    slowest: Duration,
    patience: Option<Deadline>,
}

impl<'a> FetchPool<'a> {
    /// Starts to fetch the best `wanted` candidates without content.
    pub(super) fn new(
        fetcher: &'a dyn PageFetcher,
        candidates: &[Candidate],
        wanted: usize,
        language: Option<&'a str>,
        deadline: Deadline,
    ) -> Self {
        let mut pool = Self {
            fetcher,
            language,
            deadline,
            waiting: unread_pages(candidates).into_iter(),
            running: FuturesUnordered::new(),
            wanted,
            begun: 0,
            read: HashSet::new(),
            fetched: 0,
            slowest: Duration::ZERO,
            patience: None,
        };
        pool.fill();
        pool
    }

    /// The number of fetches started so far.
    pub(super) fn begun(&self) -> usize {
        self.begun
    }

    /// Waits for the next fetch to end; `None` when all have ended or the deadline passes.
    pub(super) async fn next(&mut self) -> Option<Fetched> {
        let until = self.patience.unwrap_or(self.deadline);
        let (arrival, took) = until.limit(self.running.next()).await??;
        if let Ok(page) = &arrival.result {
            self.read.insert(page_key(page.url.as_str()));
            if !page.cached {
                self.fetched += 1;
                self.slowest = self.slowest.max(took);
            }
        }
        self.fill();
        self.lose_patience();
        Some(arrival)
    }

    fn fill(&mut self) {
        // A search may request at most twice as many pages as it wants.
        let left = self.patience.unwrap_or(self.deadline).remaining();
        while self.read.len() + self.running.len() < self.wanted
            && self.begun < 2 * self.wanted
            && (self.begun < self.wanted || left > MIN_FETCH_TIME)
            && let Some((at, url)) = self.waiting.next()
        {
            self.begun += 1;
            let work = fetch(self.fetcher, url, self.language, self.deadline);
            let started = Instant::now();
            let work = work.map(move |result| (Fetched { at, result }, started.elapsed()));
            self.running.push(work.boxed());
        }
    }

    fn lose_patience(&mut self) {
        let read = self.read.len();
        let left = self.running.len();
        let is_most = read > 0 && left <= ((read + left) / 5).max(1);
        if self.patience.is_some() || !is_most {
            return;
        }
        let least = if self.fetched < FEW_PAGES {
            MIN_STRAGGLER_TIME_FEW_PAGES
        } else {
            MIN_STRAGGLER_TIME
        };
        self.patience = Some(self.deadline.at_most(self.slowest.max(least)));
    }
}

async fn fetch(
    fetcher: &dyn PageFetcher,
    url: Url,
    language: Option<&str>,
    deadline: Deadline,
) -> Result<Page, FetchError> {
    let page = deadline
        .limit(fetcher.fetch(&url, language, deadline))
        .await
        .unwrap_or(Err(FetchError::TimedOut))?;
    if page.document.is_empty() {
        return Err(FetchError::NoContent("empty".into()));
    }
    Ok(page)
}
