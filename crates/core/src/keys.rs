//! Every Redis key and channel. `docs/REDIS.md` has the same table; a test compares the two.
//!
//! `search_job:<id>` and `{search_job:<id>}:ctl` hash to one Cluster slot, and so do all keys that
//! begin with `{search}`: in a Cluster each script touches keys of only one of the two groups.

use crate::mode::Mode;
use uuid::Uuid;

/// One row of the key table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// The key with its placeholders, such as `<id>`.
    pub pattern: &'static str,
    /// The Redis type.
    pub kind: &'static str,
    /// Its lifetime.
    pub ttl: &'static str,
    /// The scripts and processes that write it.
    pub writer: &'static str,
    /// The scripts and processes that read it.
    pub readers: &'static str,
    /// Its content.
    pub holds: &'static str,
}

/// The key table of `docs/REDIS.md`.
pub const KEY_TABLE: [KeySpec; 21] = [
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
        holds: "state, attempt, crashes, losses, nonce, worker and its process, lease, limits, cancel flag, the request, callback",
    },
    KeySpec {
        pattern: "{search_job:<id>}:ev",
        kind: "STREAM",
        ttl: "as the record",
        writer: "job scripts",
        readers: "api",
        holds: "lifecycle, progress and answer text in order, bounded; made by the first attempt, or by the end",
    },
    KeySpec {
        pattern: "{search_job:<id>}:erased",
        kind: "STRING",
        ttl: "86400 s (60 s if there was nothing), or until the id is used again",
        writer: "erase, create",
        readers: "api, worker",
        holds: "a mark that a client deleted the search: a copy that is being stored is deleted too",
    },
    KeySpec {
        pattern: "{search_job:<id>}:aside:<key>",
        kind: "any",
        ttl: "86400 s",
        writer: "set_aside",
        readers: "people",
        holds: "the value of another type that one of the keys above held: `record`, `ctl`, `ev`",
    },
    KeySpec {
        pattern: "{search}:queue:<mode>",
        kind: "LIST",
        ttl: "none; empty when idle",
        writer: "enqueue, push, update_index",
        readers: "api, worker",
        holds: "queue entries: ids of waiting searches, oldest at the right",
    },
    KeySpec {
        pattern: "{search}:pending:<mode>",
        kind: "ZSET",
        ttl: "none; empty when idle",
        writer: "enqueue, push, update_index",
        readers: "api, worker",
        holds: "id → sequence number of its queue entry",
    },
    KeySpec {
        pattern: "{search}:live",
        kind: "ZSET",
        ttl: "none; empty when idle",
        writer: "enqueue, register, push, update_index, take_due",
        readers: "api, worker",
        holds: "index: every id that has not ended → when a sweeper must check it (ms)",
    },
    KeySpec {
        pattern: "{search}:seq",
        kind: "STRING",
        ttl: "none",
        writer: "enqueue, push",
        readers: "enqueue, push",
        holds: "the last sequence number given to a queue entry",
    },
    KeySpec {
        pattern: "{search}:unsaved",
        kind: "ZSET",
        ttl: "none; empty when idle",
        writer: "update_index, take_due",
        readers: "worker",
        holds: "index: ids that ended and are not in the history yet → when to try next (ms)",
    },
    KeySpec {
        pattern: "{search}:failures",
        kind: "ZSET",
        ttl: "86400 s after the last failure",
        writer: "record_failure",
        readers: "api",
        holds: "the last 100 ids that failed → when (ms); the reason is in the record",
    },
    KeySpec {
        pattern: "{search}:callbacks",
        kind: "ZSET",
        ttl: "none; empty when no callback is pending",
        writer: "enqueue, register, update_index, take_due, postpone, worker",
        readers: "worker",
        holds: "index: ids with a pending callback → when to try next (ms)",
    },
    KeySpec {
        pattern: "{search}:workers",
        kind: "ZSET",
        ttl: "entries older than a minute are removed",
        writer: "worker_heartbeat",
        readers: "api",
        holds: "worker → time of its last heartbeat (ms)",
    },
    KeySpec {
        pattern: "{search}:workers:descriptions",
        kind: "HASH",
        ttl: "as the worker's entry",
        writer: "worker_heartbeat",
        readers: "api",
        holds: "worker → its version, slots, running searches and the state of its providers (JSON)",
    },
    KeySpec {
        pattern: "{search}:lost:<process>",
        kind: "SET",
        ttl: "3600 s",
        writer: "record_lost",
        readers: "worker",
        holds: "short names of the searches that were lost together with this worker process",
    },
    KeySpec {
        pattern: "{search}:aside:<key>",
        kind: "any",
        ttl: "86400 s",
        writer: "set_aside",
        readers: "people",
        holds: "the value of another type that the key `{search}:<key>` held",
    },
    KeySpec {
        pattern: "{search}:writable",
        kind: "STRING",
        ttl: "never exists",
        writer: "api",
        readers: "none",
        holds: "nothing: an empty text is written to test whether Redis accepts writes",
    },
    KeySpec {
        pattern: "search_answer:<digest>",
        kind: "STRING",
        ttl: "CACHE_TTL_SECONDS",
        writer: "worker",
        readers: "worker",
        holds: "cache entry: the result of a request, for the same request later",
    },
    KeySpec {
        pattern: "search_running:<digest>",
        kind: "STRING",
        ttl: "4 s, extended while the search runs",
        writer: "worker",
        readers: "worker",
        holds: "lock: the leader that runs a request, so that followers wait for it",
    },
    KeySpec {
        pattern: "search_page:<digest>",
        kind: "STRING",
        ttl: "PAGE_CACHE_TTL_SECONDS",
        writer: "worker",
        readers: "worker",
        holds: "the main content of a page",
    },
    KeySpec {
        pattern: "search_limit:<digest>",
        kind: "STRING",
        ttl: "60 s at most",
        writer: "api",
        readers: "api",
        holds: "when the next request of a key or an address may come (ms); only with API_RATE_LIMIT",
    },
];

/// The channel of job changes; a message begins with the id.
pub const CHANGED_CHANNEL: &str = "search:changed";
/// The channel of cancel requests to the workers; a message is an id.
pub const CANCELLED_CHANNEL: &str = "search:cancelled";
/// The index of all jobs that have not ended.
pub const LIVE: &str = "{search}:live";
/// The last sequence number of a queue entry.
pub const SEQ: &str = "{search}:seq";
/// The index of ended jobs that are not archived yet.
pub const UNSAVED: &str = "{search}:unsaved";
/// The index of jobs with a pending callback.
pub const CALLBACKS: &str = "{search}:callbacks";

/// The jobs that failed last.
pub const FAILURES: &str = "{search}:failures";

/// The workers and the time of their last heartbeat.
pub const WORKERS: &str = "{search}:workers";
/// The workers' descriptions of themselves.
pub const WORKER_DESCRIPTIONS: &str = "{search}:workers:descriptions";

/// Never exists: a write of an empty text tests whether Redis accepts writes.
pub const WRITE_PROBE: &str = "{search}:writable";

/// The SCAN pattern that matches every record and no other key.
pub const RECORD_PATTERN: &str = "search_job:*";

/// The public record of a job.
#[must_use]
pub fn record(id: Uuid) -> String {
    format!("search_job:{id}")
}

/// The id in the key of a record; `None` for any other key.
#[must_use]
pub fn record_id(record: &str) -> Option<Uuid> {
    Uuid::try_parse(record.strip_prefix("search_job:")?).ok()
}

/// The control hash of a job.
#[must_use]
pub fn control(id: Uuid) -> String {
    format!("{{search_job:{id}}}:ctl")
}

/// The event stream of a job.
#[must_use]
pub fn events(id: Uuid) -> String {
    format!("{{search_job:{id}}}:ev")
}

/// Where the value of `key` is moved if it has the wrong type; in the same Cluster slot.
#[must_use]
pub fn aside(key: &str) -> String {
    match key.split_once("}:") {
        Some((group, name)) => format!("{group}}}:aside:{name}"),
        None => format!("{{{key}}}:aside:record"),
    }
}

/// Whether `key` was made by [`aside`].
#[must_use]
pub fn is_aside(key: &str) -> bool {
    key.starts_with("{search") && key.contains("}:aside:")
}

/// The jobs that were lost together with a worker process.
#[must_use]
pub fn lost_jobs(process: Uuid) -> String {
    format!("{{search}}:lost:{process}")
}

/// The mark that a job was erased.
#[must_use]
pub fn erased(id: Uuid) -> String {
    format!("{{search_job:{id}}}:erased")
}

/// The queue of one mode: a list of queue entries.
#[must_use]
pub fn queue(mode: Mode) -> String {
    format!("{{search}}:queue:{mode}")
}

/// The queue entries of one mode whose jobs are not claimed yet.
#[must_use]
pub fn pending(mode: Mode) -> String {
    format!("{{search}}:pending:{mode}")
}

// The keys below belong to no job and no queue: in a Cluster they spread over all nodes.

/// The cached result of the request with this digest.
#[must_use]
pub fn cached_result(digest: &str) -> String {
    format!("search_answer:{digest}")
}

/// The lock of the leader that runs the request with this digest.
#[must_use]
pub fn leader_lock(digest: &str) -> String {
    format!("search_running:{digest}")
}

/// The cached content of the page whose address has this digest.
#[must_use]
pub fn cached_page(digest: &str) -> String {
    format!("search_page:{digest}")
}

/// The rate limit of the caller with this digest.
#[must_use]
pub fn rate_limit(digest: &str) -> String {
    format!("search_limit:{digest}")
}

#[cfg(test)]
mod tests;
