//! The SearXNG of a run: mostly quick, at times slow, at times failing. Its behaviour follows from
//! the seed and from how often the same query came.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::log::{Entry, Log, digest, now_ms};
use crate::Upstream;
use crate::fixtures::gather_results;
use crate::upstream::{Reply, Request, searxng};

pub(super) fn start(seed: u64, log: Log) -> Upstream {
    let calls: Mutex<HashMap<String, u64>> = Mutex::default();
    Upstream::start(move |request: &Request| {
        let query = request.parameter("q").unwrap_or_default();
        let token = token(query);
        let times = {
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            let times = calls.entry(query.to_owned()).or_default();
            *times += 1;
            *times
        };
        log.note(Entry::EngineCalled {
            at: now_ms(),
            token: token.to_owned(),
        });
        let habit = seed ^ digest(query.as_bytes());
        let mut habits = StdRng::seed_from_u64(habit);
        let mut moods = StdRng::seed_from_u64(habit ^ times.rotate_left(32));
        let body = searxng::body(query, &gather_results()).to_string();
        // Some queries take longer than a lease and a freeze, at every call: a search that another
        // worker took over still runs when its first worker resumes.
        let late = match moods.random_range(0..100) {
            0..4 => return Reply::new(502, "text/plain", "bad gateway"),
            4..6 => return searxng::limited(),
            _ if habits.random_bool(0.03) => 5000..9000,
            6..20 => 500..3000,
            _ => 0..80,
        };
        Reply::json(200, body).late(Duration::from_millis(moods.random_range(late)))
    })
}

/// The word of a query that identifies its client.
pub(super) fn token(query: &str) -> &str {
    let is_token = |word: &&str| {
        let number = word
            .strip_prefix('t')
            .and_then(|rest| rest.strip_suffix('x'));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    query
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find(is_token)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn a_query_contains_its_token() {
        assert_eq!(token("What is gather t17x?"), "t17x");
        assert_eq!(token("text of what"), "");
    }
}
