//! Every Redis key and channel, in one place. `docs/REDIS.md` shows the same table; a test
//! compares the two.
//!
//! `search_job:<id>` and `{search_job:<id>}:ctl` hash to the same Cluster slot, and so do all keys
//! that begin with `{search}`: each script touches keys of one of the two groups only.

use crate::mode::Mode;
use uuid::Uuid;

/// One row of the key table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// The key, with its placeholders.
    pub pattern: &'static str,
    /// The Redis type.
    pub kind: &'static str,
    /// How long it lives.
    pub ttl: &'static str,
    /// Who writes it.
    pub writer: &'static str,
    /// Who reads it.
    pub readers: &'static str,
    /// What it holds.
    pub holds: &'static str,
}

/// The key table.
pub const TABLE: [KeySpec; 17] = [
    KeySpec {
        pattern: "search_job:<id>",
        kind: "STRING",
        ttl: "the request's, 86400 s by default",
        writer: "every job script",
        readers: "api, worker, people",
        holds: "the public JSON record: status, result, error and what the client sent",
    },
    KeySpec {
        pattern: "{search_job:<id>}:ctl",
        kind: "HASH",
        ttl: "as the record",
        writer: "every job script, worker",
        readers: "api, worker, job scripts",
        holds: "state, attempt, crashes, nonce, worker, lease, limits, cancel flag, the request, whom to call",
    },
    KeySpec {
        pattern: "{search_job:<id>}:ev",
        kind: "STREAM",
        ttl: "as the record",
        writer: "job scripts",
        readers: "api",
        holds: "lifecycle, progress and answer text in order, bounded; begins with the first attempt, or the end",
    },
    KeySpec {
        pattern: "{search_job:<id>}:erased",
        kind: "STRING",
        ttl: "86400 s (60 s if there was nothing), or until the id is used again",
        writer: "erase, create",
        readers: "api, worker",
        holds: "that a client deleted the search: what is just being stored of it goes too",
    },
    KeySpec {
        pattern: "{search}:queue:<mode>",
        kind: "LIST",
        ttl: "none; empty when idle",
        writer: "accept, push, book",
        readers: "api, worker",
        holds: "hints: ids of searches that wait, oldest at the right",
    },
    KeySpec {
        pattern: "{search}:pending:<mode>",
        kind: "ZSET",
        ttl: "none; empty when idle",
        writer: "accept, push, book",
        readers: "api, worker",
        holds: "id → sequence number of its hint",
    },
    KeySpec {
        pattern: "{search}:live",
        kind: "ZSET",
        ttl: "none; empty when idle",
        writer: "accept, register, push, book, due",
        readers: "api, worker",
        holds: "every id that has not ended → when somebody must look at it (ms)",
    },
    KeySpec {
        pattern: "{search}:seq",
        kind: "STRING",
        ttl: "none",
        writer: "accept, push",
        readers: "accept, push",
        holds: "the last sequence number given to a hint",
    },
    KeySpec {
        pattern: "{search}:unsaved",
        kind: "ZSET",
        ttl: "none; empty when idle",
        writer: "book, due",
        readers: "worker",
        holds: "ids that ended and are not in the history yet → when to try next (ms)",
    },
    KeySpec {
        pattern: "{search}:failures",
        kind: "ZSET",
        ttl: "86400 s after the last failure",
        writer: "note",
        readers: "api",
        holds: "the last 100 ids that failed → when (ms); the reason is in the record",
    },
    KeySpec {
        pattern: "{search}:callbacks",
        kind: "ZSET",
        ttl: "none; empty when nobody is to be called",
        writer: "accept, register, book, due, postpone, worker",
        readers: "worker",
        holds: "ids whose outcome somebody is to be told → when to try next (ms)",
    },
    KeySpec {
        pattern: "{search}:workers",
        kind: "ZSET",
        ttl: "entries older than a minute are struck off",
        writer: "announce",
        readers: "api",
        holds: "worker → when it was last heard of (ms)",
    },
    KeySpec {
        pattern: "{search}:workers:descriptions",
        kind: "HASH",
        ttl: "as the worker's entry",
        writer: "announce",
        readers: "api",
        holds: "worker → its version, slots, running searches, and how its engines do (JSON)",
    },
    KeySpec {
        pattern: "search_answer:<digest>",
        kind: "STRING",
        ttl: "CACHE_TTL_SECONDS",
        writer: "worker",
        readers: "worker",
        holds: "the answer to a request, for the next one that is the same",
    },
    KeySpec {
        pattern: "search_running:<digest>",
        kind: "STRING",
        ttl: "4 s, extended while the search runs",
        writer: "worker",
        readers: "worker",
        holds: "who is working on a request, so that the same one waits for it",
    },
    KeySpec {
        pattern: "search_page:<digest>",
        kind: "STRING",
        ttl: "PAGE_CACHE_TTL_SECONDS",
        writer: "worker",
        readers: "worker",
        holds: "the main content of a page that was read",
    },
    KeySpec {
        pattern: "search_limit:<digest>",
        kind: "STRING",
        ttl: "60 s at most",
        writer: "api",
        readers: "api",
        holds: "when the next request of a key or an address is due (ms); only with API_RATE_LIMIT",
    },
];

/// Channel on which every change of a job is announced; the message begins with the id.
pub const CHANGED: &str = "search:changed";
/// Channel on which cancelled ids are announced to the workers.
pub const CANCELLED: &str = "search:cancelled";
/// Every id that has not ended.
pub const LIVE: &str = "{search}:live";
/// The last sequence number of a hint.
pub const SEQ: &str = "{search}:seq";
/// Ended searches that are not in the history yet.
pub const UNSAVED: &str = "{search}:unsaved";
/// Searches whose outcome somebody is to be told.
pub const CALLBACKS: &str = "{search}:callbacks";

/// The last searches that failed.
pub const FAILURES: &str = "{search}:failures";

/// Workers and when they were last heard of.
pub const WORKERS: &str = "{search}:workers";
/// What the workers say of themselves.
pub const WORKER_DESCRIPTIONS: &str = "{search}:workers:descriptions";

/// Matches every record and nothing else.
pub const RECORDS: &str = "search_job:*";

/// The public record of a search.
#[must_use]
pub fn record(id: Uuid) -> String {
    format!("search_job:{id}")
}

/// The search whose record this key is.
#[must_use]
pub fn id_of(record: &str) -> Option<Uuid> {
    Uuid::try_parse(record.strip_prefix("search_job:")?).ok()
}

/// Its control fields.
#[must_use]
pub fn control(id: Uuid) -> String {
    format!("{{search_job:{id}}}:ctl")
}

/// Its events.
#[must_use]
pub fn events(id: Uuid) -> String {
    format!("{{search_job:{id}}}:ev")
}

/// The note that it was erased.
#[must_use]
pub fn erased(id: Uuid) -> String {
    format!("{{search_job:{id}}}:erased")
}

/// The list of hints of one mode.
#[must_use]
pub fn queue(mode: Mode) -> String {
    format!("{{search}}:queue:{mode}")
}

/// The hints of one mode that nobody has claimed yet.
#[must_use]
pub fn pending(mode: Mode) -> String {
    format!("{{search}}:pending:{mode}")
}

// The four below name no job and no queue: in a Cluster they spread over all nodes.

/// The answer to the request of this digest.
#[must_use]
pub fn answer(digest: &str) -> String {
    format!("search_answer:{digest}")
}

/// The lock of whoever is working on the request of this digest.
#[must_use]
pub fn running(digest: &str) -> String {
    format!("search_running:{digest}")
}

/// The content of the page whose address has this digest.
#[must_use]
pub fn page(digest: &str) -> String {
    format!("search_page:{digest}")
}

/// The rate limit of the caller who has this digest.
#[must_use]
pub fn limit(digest: &str) -> String {
    format!("search_limit:{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/REDIS.md");

    #[test]
    fn the_page_for_people_has_every_key_and_no_other() {
        let rows: Vec<String> = TABLE
            .iter()
            .map(|key| {
                let KeySpec {
                    pattern,
                    kind,
                    ttl,
                    writer,
                    readers,
                    holds,
                } = key;
                format!("| `{pattern}` | {kind} | {ttl} | {writer} | {readers} | {holds} |")
            })
            .collect();
        let shown: Vec<&str> = PAGE
            .lines()
            .filter(|line| line.starts_with("| `{search") || line.starts_with("| `search_"))
            .collect();
        assert_eq!(shown, rows);
    }

    #[test]
    fn every_key_that_is_built_has_its_row() {
        let id = Uuid::nil();
        let built = [record(id), control(id), events(id), erased(id)]
            .into_iter()
            .chain(
                Mode::ALL
                    .into_iter()
                    .flat_map(|mode| [queue(mode), pending(mode)]),
            )
            .chain([answer, running, page, limit].map(|key| key("<digest>")))
            .chain(
                [
                    LIVE,
                    SEQ,
                    UNSAVED,
                    FAILURES,
                    CALLBACKS,
                    WORKERS,
                    WORKER_DESCRIPTIONS,
                ]
                .map(str::to_owned),
            );
        for key in built {
            let pattern = Mode::ALL
                .into_iter()
                .fold(key.replace(&id.to_string(), "<id>"), |pattern, mode| {
                    pattern.replace(&format!(":{mode}"), ":<mode>")
                });
            assert!(
                TABLE.iter().any(|row| row.pattern == pattern),
                "{key} has no row"
            );
        }
    }

    #[test]
    fn only_records_begin_as_records_do() {
        let others = TABLE
            .iter()
            .filter(|key| key.pattern.starts_with("search_job:"));
        assert_eq!(others.count(), 1);
    }
}
