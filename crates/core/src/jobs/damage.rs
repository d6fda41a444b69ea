//! Keys that hold what they never should, and what is done about it.
//!
//! A stranger, a mistake or another version may have written them. A key of a wrong type is set aside
//! under another name, for a person to look at: what it held of ours was gone before, and the keys of
//! the queues are made anew from the records. The call that met it is made once more. What is left
//! of a job that cannot be read is left alone. Each is named once in the log.

use super::{Jobs, JobsError, error::read};
use crate::{keys, mode::Mode};
use redis::{Cmd, FromRedisValue, ScriptInvocation, Value};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

/// How long what was set aside is kept, in seconds.
const KEPT_FOR: u64 = 86_400;
/// Keys that are named in the log, until the process starts anew.
const NAMED: usize = 256;

/// The keys that a call works on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope {
    Queues,
    Job(Uuid),
}

/// What was named in the log before.
#[derive(Default)]
pub(super) struct Named(Mutex<HashSet<String>>);

impl Named {
    /// Names a key and what is wrong with it, the first time.
    pub(super) fn name(&self, key: &str, problem: &str) {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() > NAMED || !named.insert(key.to_owned()) {
            return;
        }
        if named.len() > NAMED {
            tracing::warn!(
                "more keys of Redis are damaged: privachat-worker check-config names them"
            );
        } else {
            tracing::warn!(key, problem, "a key of Redis is damaged");
        }
    }
}

impl Scope {
    /// The keys, and what each should be: a Redis type, or what mend.lua makes more of.
    pub(super) fn keys(self) -> Vec<(String, &'static str)> {
        let id = match self {
            Self::Job(id) => id,
            Self::Queues => return of_queues(),
        };
        vec![
            (keys::record(id), "string"),
            (keys::control(id), "hash"),
            (keys::events(id), "stream"),
        ]
    }
}

fn of_queues() -> Vec<(String, &'static str)> {
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
    /// Runs a script on the keys of `scope`; one that Redis has forgotten is loaded again.
    pub(super) async fn call_in<T: FromRedisValue>(
        &self,
        scope: Scope,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, JobsError> {
        self.mending(scope, || self.call(invocation)).await
    }

    /// Runs a command on the keys of `scope`.
    pub(super) async fn query_in<T: FromRedisValue>(
        &self,
        scope: Scope,
        command: &Cmd,
    ) -> Result<T, JobsError> {
        self.mending(scope, || self.query(command)).await
    }

    /// Runs a command.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, JobsError> {
        read(self.redis.query::<Value>(command).await?)
    }

    /// The same on a pooled connection, for those who are in no hurry.
    pub(super) async fn query_in_bulk<T: FromRedisValue>(
        &self,
        command: &Cmd,
    ) -> Result<T, JobsError> {
        let mut connection = self.redis.in_bulk();
        read(command.query_async::<Value>(&mut connection).await?)
    }

    /// Makes a call once more when it met keys of a wrong type and these are out of its way; another
    /// process may have moved them.
    pub(super) async fn mending<T, F>(
        &self,
        scope: Scope,
        call: impl Fn() -> F,
    ) -> Result<T, JobsError>
    where
        F: Future<Output = Result<T, JobsError>>,
    {
        let outcome = call().await;
        if matches!(outcome, Err(JobsError::Damaged(_))) {
            self.mend(scope).await?;
            return call().await;
        }
        outcome
    }

    /// Sets keys of a wrong type aside.
    async fn mend(&self, scope: Scope) -> Result<(), JobsError> {
        let mut invocation = self.scripts.mend.prepare_invoke();
        invocation.arg(KEPT_FOR);
        for (key, sort) in scope.keys() {
            let aside = keys::aside(&key);
            invocation.key(key).key(aside).arg(sort);
        }
        let mended: Vec<(String, String)> = self.call(&invocation).await?;
        for (key, held) in &mended {
            let problem = format!("it held {held}; that is kept as {}", keys::aside(key));
            self.named.name(key, &problem);
        }
        Ok(())
    }

    /// Names a key that cannot be read.
    pub(super) fn name_key(&self, key: &str, error: &JobsError) {
        self.named.name(key, &error.to_string());
    }

    /// Names a job that cannot be read.
    pub(super) fn name_job(&self, id: Uuid, error: &JobsError) {
        self.name_key(&keys::control(id), error);
    }

    /// Names a list with entries that are no ids.
    pub(super) fn name_list(&self, list: &str) {
        let problem = "it has entries that are no ids; these are taken out";
        self.named.name(list, problem);
    }
}
