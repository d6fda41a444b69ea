//! Loads robots.txt once per origin and caches its rules.

mod rules;

use super::{client::FetchClient, transport_error};
use crate::pipeline::{Deadline, FetchError};
use privachat_core::domain::host_name;
use rules::{MAX_BYTES, RobotsRules};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::OnceCell, time::Instant};
use url::Url;

/// The number of cached origins.
const MAX_ORIGINS: usize = 1_024;
/// The total size of their files, in bytes. Most have a few kilobytes.
const MAX_CACHED_BYTES: usize = 16 * 1024 * 1024;
const RULES_TTL: Duration = Duration::from_secs(3_600);
/// After a failure, robots.txt is loaded again sooner.
const FAILURE_TTL: Duration = Duration::from_secs(120);
/// The limit for loading robots.txt, as part of a page's time.
const LOAD_TIMEOUT: Duration = Duration::from_secs(3);

const FORBIDDEN_BY_ROBOTS: FetchError = FetchError::Forbidden("robots.txt");

#[derive(Debug)]
pub(super) struct RobotsCache {
    agent: String,
    entries: Mutex<HashMap<String, Arc<OnceCell<CachedRules>>>>,
}

#[derive(Debug)]
struct CachedRules {
    /// Or the error of loading them; until they load, no page of the site is read.
    rules: Result<RobotsRules, FetchError>,
    expires_at: Instant,
}

impl CachedRules {
    fn bytes(&self) -> usize {
        self.rules.as_ref().map_or(0, |rules| rules.bytes)
    }
}

impl RobotsCache {
    pub(super) fn new(user_agent: &str) -> Self {
        let agent = user_agent.split(['/', ' ']).next().unwrap_or_default();
        Self {
            agent: agent.to_owned(),
            entries: Mutex::default(),
        }
    }

    /// Checks whether the rules allow `url`. A site without rules allows everything; a server that
    /// fails to return them allows nothing for the time being (RFC 9309, 2.3.1).
    ///
    /// # Errors
    /// [`FetchError::Forbidden`] when the rules forbid it; another error when they cannot be
    /// loaded.
    pub(super) async fn check(
        &self,
        url: &Url,
        client: &FetchClient,
        deadline: Deadline,
    ) -> Result<(), FetchError> {
        let origin = origin(url).ok_or(FORBIDDEN_BY_ROBOTS)?;
        let cell = self.entry(&origin);
        // Concurrent requests for one origin share one load.
        let known = cell.get_or_init(|| self.load(url, client, deadline)).await;
        match &known.rules {
            Ok(rules) if rules.allows(url) => Ok(()),
            Ok(_) => Err(FORBIDDEN_BY_ROBOTS),
            Err(trouble) => Err(trouble.clone()),
        }
    }

    fn entry(&self, origin: &str) -> Arc<OnceCell<CachedRules>> {
        let mut known = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_current = |cell: &Arc<OnceCell<CachedRules>>| {
            cell.get().is_none_or(|known| known.expires_at > now)
        };
        if let Some(cell) = known.get(origin).filter(|cell| is_current(cell)) {
            return Arc::clone(cell);
        }
        if is_full(&known) {
            known.retain(|_, cell| is_current(cell));
        }
        while is_full(&known)
            && let Some(any) = known.keys().next().cloned()
        {
            known.remove(&any);
        }
        let cell = Arc::new(OnceCell::new());
        known.insert(origin.to_owned(), Arc::clone(&cell));
        cell
    }

    async fn load(&self, url: &Url, client: &FetchClient, deadline: Deadline) -> CachedRules {
        let share = deadline.remaining();
        let answer = deadline
            .at_most(LOAD_TIMEOUT)
            .limit(fetch_robots_txt(url, client))
            .await
            .unwrap_or(Err(FetchError::TimedOut));
        let (rules, ttl) = match answer {
            Ok(file) => (Ok(RobotsRules::parse(&file, &self.agent)), RULES_TTL),
            // 429 is a transient failure, not the absence of rules.
            Err(FetchError::Status(429)) => (Err(FORBIDDEN_BY_ROBOTS), FAILURE_TTL),
            Err(FetchError::Status(400..=499)) => (Ok(RobotsRules::default()), RULES_TTL),
            Err(FetchError::TooManyRedirects) => (Ok(RobotsRules::default()), FAILURE_TTL),
            Err(FetchError::Status(_)) => (Err(FORBIDDEN_BY_ROBOTS), FAILURE_TTL),
            // This search had little time; the next may have more.
            Err(FetchError::TimedOut) if share < LOAD_TIMEOUT => {
                (Err(FetchError::TimedOut), Duration::ZERO)
            }
            Err(trouble) => (Err(trouble), FAILURE_TTL),
        };
        CachedRules {
            rules,
            expires_at: Instant::now() + ttl,
        }
    }
}

fn is_full(known: &HashMap<String, Arc<OnceCell<CachedRules>>>) -> bool {
    let kept = known.values().filter_map(|cell| cell.get());
    known.len() >= MAX_ORIGINS || kept.map(CachedRules::bytes).sum::<usize>() > MAX_CACHED_BYTES
}

async fn fetch_robots_txt(url: &Url, client: &FetchClient) -> Result<Vec<u8>, FetchError> {
    let mut address = url.clone();
    address.set_path("/robots.txt");
    address.set_query(None);
    let mut response = client.get(&address).await?;
    if !response.status.is_success() {
        return Err(FetchError::Status(response.status.as_u16()));
    }
    let mut file = Vec::new();
    // Reads one byte more than the limit, to detect a longer file.
    while file.len() <= MAX_BYTES {
        let piece = response.inner.chunk().await;
        let Some(piece) = piece.map_err(|error| transport_error::from_reqwest(&error))? else {
            break;
        };
        let room = MAX_BYTES + 1 - file.len();
        file.extend_from_slice(piece.get(..room).unwrap_or(&piece));
    }
    Ok(file)
}

fn origin(url: &Url) -> Option<String> {
    let port = url.port_or_known_default()?;
    Some(format!("{}://{}:{port}", url.scheme(), host_name(url)?))
}
