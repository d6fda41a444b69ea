//! Which pages are on their way: as many as are wanted, the next best one for each that fails, and
//! no waiting for the last few once the others are there.

use super::{identity, unread};
use crate::pipeline::{Candidate, Deadline, FetchError, Page, PageFetcher};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{collections::HashSet, time::Duration, vec::IntoIter};
use tokio::time::Instant;
use url::Url;

/// The last pages get as long as the slowest one took, and at least this.
const PATIENCE: Duration = Duration::from_millis(700);
/// The same when so few were fetched that each of them counts.
const PATIENCE_WITH_FEW: Duration = Duration::from_secs(2);
const FEW: usize = 4;
/// Another page is begun only if it has a chance to come in.
const WORTHWHILE: Duration = Duration::from_millis(500);

/// The end of one page.
pub(super) struct Arrival {
    /// Whose page it is: an index into the candidates.
    pub(super) at: usize,
    pub(super) result: Result<Page, FetchError>,
}

/// The pages of one search.
pub(super) struct Pool<'a> {
    fetcher: &'a dyn PageFetcher,
    language: Option<&'a str>,
    deadline: Deadline,
    waiting: IntoIter<(usize, Url)>,
    running: FuturesUnordered<BoxFuture<'a, (Arrival, Duration)>>,
    wanted: usize,
    begun: usize,
    /// Addresses of the pages that were read.
    read: HashSet<String>,
    fetched: usize,
    slowest: Duration,
    patience: Option<Deadline>,
}

impl<'a> Pool<'a> {
    /// Begins to read the best `wanted` of the candidates that are not read yet.
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
            waiting: unread(candidates).into_iter(),
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

    /// Pages that were begun so far.
    pub(super) fn begun(&self) -> usize {
        self.begun
    }

    /// The next page that is done, well or badly; `None` when there are no more or the rest is cut.
    pub(super) async fn next(&mut self) -> Option<Arrival> {
        let until = self.patience.unwrap_or(self.deadline);
        let (arrival, took) = until.cut(self.running.next()).await??;
        if let Ok(page) = &arrival.result {
            self.read.insert(identity(page.url.as_str()));
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
        // Twice as many as wanted is all that a search may ask the web for.
        let left = self.patience.unwrap_or(self.deadline).remaining();
        while self.read.len() + self.running.len() < self.wanted
            && self.begun < 2 * self.wanted
            && (self.begun < self.wanted || left > WORTHWHILE)
            && let Some((at, url)) = self.waiting.next()
        {
            self.begun += 1;
            let work = fetch(self.fetcher, url, self.language, self.deadline);
            let started = Instant::now();
            let work = work.map(move |result| (Arrival { at, result }, started.elapsed()));
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
        let least = if self.fetched < FEW {
            PATIENCE_WITH_FEW
        } else {
            PATIENCE
        };
        self.patience = Some(self.deadline.within(self.slowest.max(least)));
    }
}

async fn fetch(
    fetcher: &dyn PageFetcher,
    url: Url,
    language: Option<&str>,
    deadline: Deadline,
) -> Result<Page, FetchError> {
    let page = deadline
        .cut(fetcher.fetch(&url, language, deadline))
        .await
        .unwrap_or(Err(FetchError::TimedOut))?;
    if page.document.is_empty() {
        return Err(FetchError::NoContent("empty".into()));
    }
    Ok(page)
}
