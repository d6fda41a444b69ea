//! robots.txt: read once per origin, kept for a while.

mod rules;

use super::{body, client::Client};
use crate::pipeline::{Deadline, FetchError};
use privachat_core::domain::host_name;
use rules::Rules;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::OnceCell, time::Instant};
use url::Url;

/// RFC 9309 wants at least 500 KiB to be read.
const MAX_BYTES: usize = 512 * 1024;
/// Origins that are remembered.
const REMEMBERED: usize = 1_024;
const TTL: Duration = Duration::from_secs(3_600);
/// After trouble the next search may try again.
const TTL_AFTER_TROUBLE: Duration = Duration::from_secs(120);
/// What robots.txt may cost of a page's time.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct RobotsCache {
    agent: String,
    known: Mutex<HashMap<String, Arc<OnceCell<Known>>>>,
}

#[derive(Debug)]
struct Known {
    /// `None`: the site cannot say, and until it can nothing of it is read.
    rules: Option<Rules>,
    until: Instant,
}

impl RobotsCache {
    pub(super) fn new(user_agent: &str) -> Self {
        let agent = user_agent.split(['/', ' ']).next().unwrap_or_default();
        Self {
            agent: agent.to_owned(),
            known: Mutex::default(),
        }
    }

    /// Whether the site lets us read `url`. One that has no rules allows everything; one whose
    /// server fails to give them allows nothing for the time being (RFC 9309, 2.3.1).
    pub(super) async fn allows(&self, url: &Url, client: &Client, deadline: Deadline) -> bool {
        let Some(origin) = origin(url) else {
            return false;
        };
        let cell = self.cell(&origin);
        // Requests for the same origin wait for the first one's answer.
        let known = cell
            .get_or_init(|| self.load(url, client, deadline.within(PATIENCE)))
            .await;
        known.rules.as_ref().is_some_and(|rules| rules.allow(url))
    }

    fn cell(&self, origin: &str) -> Arc<OnceCell<Known>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_current =
            |cell: &Arc<OnceCell<Known>>| cell.get().is_none_or(|known| known.until > now);
        if let Some(cell) = known.get(origin).filter(|cell| is_current(cell)) {
            return Arc::clone(cell);
        }
        if known.len() >= REMEMBERED {
            known.retain(|_, cell| is_current(cell));
        }
        if known.len() >= REMEMBERED
            && let Some(any) = known.keys().next().cloned()
        {
            known.remove(&any);
        }
        let cell = Arc::new(OnceCell::new());
        known.insert(origin.to_owned(), Arc::clone(&cell));
        cell
    }

    async fn load(&self, url: &Url, client: &Client, deadline: Deadline) -> Known {
        let answer = deadline
            .cut(fetch(url, client))
            .await
            .unwrap_or(Err(FetchError::TimedOut));
        let (rules, ttl) = match answer {
            Ok(text) => (Some(Rules::parse(&text, &self.agent)), TTL),
            Err(FetchError::Status(500..=599)) => (None, TTL_AFTER_TROUBLE),
            Err(FetchError::Status(400..=499)) => (Some(Rules::default()), TTL),
            // The page itself will show whether the site can be reached.
            Err(_) => (Some(Rules::default()), TTL_AFTER_TROUBLE),
        };
        Known {
            rules,
            until: Instant::now() + ttl,
        }
    }
}

async fn fetch(url: &Url, client: &Client) -> Result<String, FetchError> {
    let mut address = url.clone();
    address.set_path("/robots.txt");
    address.set_query(None);
    let response = client.get(&address).await?;
    if !response.status.is_success() {
        return Err(FetchError::Status(response.status.as_u16()));
    }
    let (bytes, _slot) = body::read(response, MAX_BYTES).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn origin(url: &Url) -> Option<String> {
    let port = url.port_or_known_default()?;
    Some(format!("{}://{}:{port}", url.scheme(), host_name(url)?))
}
