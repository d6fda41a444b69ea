//! Damaged keys: another program, a mistake or another version wrote something else into them.
//!
//! A key of a wrong type is renamed, so that people can inspect it, and the failed call is repeated;
//! the sweeper rebuilds the queue keys from the records. The other keys of an unreadable job stay
//! as they are. Each damaged key is logged once.

use super::{Jobs, JobsError, error::parse_reply};
use crate::{keys, mode::Mode};
use redis::{Cmd, FromRedisValue, ScriptInvocation, Value};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

/// Seconds that a key set aside is kept.
const ASIDE_TTL_SECONDS: u64 = 86_400;
/// Keys that one process logs at most.
const MAX_LOGGED_KEYS: usize = 256;

/// The group of keys that a call works on; each is in one slot of a Cluster.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyGroup {
    Queues,
    Job(Uuid),
}

/// Keys that are logged already.
#[derive(Default)]
pub(super) struct LoggedKeys(Mutex<HashSet<String>>);

impl LoggedKeys {
    /// Logs a key and what is wrong with it, unless it is logged already.
    pub(super) fn log_once(&self, key: &str, problem: &str) {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() > MAX_LOGGED_KEYS || !named.insert(key.to_owned()) {
            return;
        }
        if named.len() > MAX_LOGGED_KEYS {
            tracing::warn!(
                "more keys of Redis are damaged: privachat-worker check-config lists them"
            );
        } else {
            tracing::warn!(key, problem, "a key of Redis is damaged");
        }
    }
}

impl KeyGroup {
    /// The keys of the group, each with its Redis type, or `seq` or `pending`: see `set_aside.lua`.
    pub(super) fn keys(self) -> Vec<(String, &'static str)> {
        let id = match self {
            Self::Job(id) => id,
            Self::Queues => return queue_keys(),
        };
        vec![
            (keys::record(id), "string"),
            (keys::control(id), "hash"),
            (keys::events(id), "stream"),
        ]
    }
}

fn queue_keys() -> Vec<(String, &'static str)> {
    let pending = Mode::ALL.map(|mode| (keys::pending(mode), "pending"));
    let queues = Mode::ALL.map(|mode| (keys::queue(mode), "list"));
    let others = [
        (keys::SEQ, "seq"),
        (keys::LIVE, "zset"),
        (keys::UNSAVED, "zset"),
        (keys::CALLBACKS, "zset"),
        (keys::FAILURES, "zset"),
        (keys::WORKERS, "zset"),
        (keys::WORKER_DESCRIPTIONS, "hash"),
    ];
    let others = others.map(|(key, sort)| (key.to_owned(), sort));
    pending.into_iter().chain(queues).chain(others).collect()
}

impl Jobs {
    /// Runs a script on the keys of `scope`; if they are of a wrong type, sets them aside and
    /// repeats the call.
    pub(super) async fn call_in<T: FromRedisValue>(
        &self,
        scope: KeyGroup,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, JobsError> {
        self.with_repair(scope, || self.call(invocation)).await
    }

    /// As [`Self::call_in`], for a command.
    pub(super) async fn query_in<T: FromRedisValue>(
        &self,
        scope: KeyGroup,
        command: &Cmd,
    ) -> Result<T, JobsError> {
        self.with_repair(scope, || self.query(command)).await
    }

    /// Runs a command on the shared connection.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, JobsError> {
        parse_reply(self.redis.query::<Value>(command).await?)
    }

    /// As [`Self::query`], on a pooled connection: for bulk reads, which must not delay polls.
    pub(super) async fn query_pooled<T: FromRedisValue>(
        &self,
        command: &Cmd,
    ) -> Result<T, JobsError> {
        let mut connection = self.redis.pooled();
        parse_reply(command.query_async::<Value>(&mut connection).await?)
    }

    /// Repeats a call that failed on keys of a wrong type, after these are set aside, by this or
    /// another process.
    pub(super) async fn with_repair<T, F>(
        &self,
        scope: KeyGroup,
        call: impl Fn() -> F,
    ) -> Result<T, JobsError>
    where
        F: Future<Output = Result<T, JobsError>>,
    {
        let outcome = call().await;
        if matches!(outcome, Err(JobsError::Damaged(_))) {
            self.set_damaged_aside(scope).await?;
            return call().await;
        }
        outcome
    }

    /// Sets the keys of `scope` that are of a wrong type aside.
    async fn set_damaged_aside(&self, scope: KeyGroup) -> Result<(), JobsError> {
        let mut invocation = self.scripts.set_aside.prepare_invoke();
        invocation.arg(ASIDE_TTL_SECONDS);
        for (key, sort) in scope.keys() {
            let aside = keys::aside(&key);
            invocation.key(key).key(aside).arg(sort);
        }
        let mended: Vec<(String, String)> = self.call(&invocation).await?;
        for (key, held) in &mended {
            let problem = format!("it held {held}, which is kept as {}", keys::aside(key));
            self.logged_keys.log_once(key, &problem);
        }
        Ok(())
    }

    pub(super) fn log_damaged_key(&self, key: &str, error: &JobsError) {
        self.logged_keys.log_once(key, &error.to_string());
    }

    pub(super) fn log_damaged_job(&self, id: Uuid, error: &JobsError) {
        self.log_damaged_key(&keys::control(id), error);
    }

    pub(super) fn log_damaged_list(&self, list: &str) {
        let problem = "it has entries that are not ids; these are removed";
        self.logged_keys.log_once(list, problem);
    }
}
