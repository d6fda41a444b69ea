//! The Lua scripts, loaded from `scripts/`. The head of each file lists its KEYS, ARGV and reply.
//!
//! A job script runs on the keys of one job and follows `prelude.lua`; a script that stores new jobs
//! follows `new_job.lua` as well; a queue script runs on the `{search}` keys. `clock.lua` precedes all.

use super::{Jobs, JobsError, error::parse_reply};
use crate::{keys, mode::Mode};
use redis::{FromRedisValue, Script, ScriptInvocation, Value};
use uuid::Uuid;

macro_rules! job_script {
    ($file:literal) => {
        Script::new(concat!(
            include_str!("scripts/clock.lua"),
            include_str!("scripts/prelude.lua"),
            include_str!(concat!("scripts/", $file))
        ))
    };
}

macro_rules! new_job_script {
    ($file:literal) => {
        Script::new(concat!(
            include_str!("scripts/clock.lua"),
            include_str!("scripts/prelude.lua"),
            include_str!("scripts/new_job.lua"),
            include_str!(concat!("scripts/", $file))
        ))
    };
}

macro_rules! queue_script {
    ($file:literal) => {
        Script::new(concat!(
            include_str!("scripts/clock.lua"),
            include_str!(concat!("scripts/", $file))
        ))
    };
}

pub(super) struct Scripts {
    pub(super) enqueue: Script,
    pub(super) create: Script,
    pub(super) claim: Script,
    pub(super) heartbeat: Script,
    pub(super) report: Script,
    pub(super) finish: Script,
    pub(super) release: Script,
    pub(super) cancel: Script,
    pub(super) erase: Script,
    pub(super) register: Script,
    pub(super) push: Script,
    pub(super) update_index: Script,
    pub(super) fail: Script,
    pub(super) inspect: Script,
    pub(super) take_due: Script,
    pub(super) lost_entries: Script,
    pub(super) worker_heartbeat: Script,
    pub(super) overview: Script,
    pub(super) list_jobs: Script,
    pub(super) record_failure: Script,
    pub(super) callback_status: Script,
    pub(super) delivery_failed: Script,
    pub(super) postpone: Script,
    pub(super) set_aside: Script,
    pub(super) record_lost: Script,
}

impl Scripts {
    pub(super) fn load() -> Self {
        Self {
            enqueue: new_job_script!("enqueue.lua"),
            create: new_job_script!("create.lua"),
            claim: job_script!("claim.lua"),
            heartbeat: job_script!("heartbeat.lua"),
            report: job_script!("report.lua"),
            finish: job_script!("finish.lua"),
            release: job_script!("release.lua"),
            cancel: job_script!("cancel.lua"),
            erase: job_script!("erase.lua"),
            register: queue_script!("register.lua"),
            push: queue_script!("push.lua"),
            update_index: queue_script!("update_index.lua"),
            fail: job_script!("fail.lua"),
            inspect: job_script!("inspect.lua"),
            take_due: queue_script!("take_due.lua"),
            lost_entries: queue_script!("lost_entries.lua"),
            worker_heartbeat: queue_script!("worker_heartbeat.lua"),
            overview: queue_script!("overview.lua"),
            list_jobs: queue_script!("list_jobs.lua"),
            record_failure: queue_script!("record_failure.lua"),
            callback_status: job_script!("callback_status.lua"),
            delivery_failed: job_script!("delivery_failed.lua"),
            postpone: queue_script!("postpone.lua"),
            set_aside: queue_script!("set_aside.lua"),
            record_lost: queue_script!("record_lost.lua"),
        }
    }
}

/// An invocation with KEYS 1-3: record, control hash and events of a job.
pub(super) fn job_invocation(script: &Script, id: Uuid) -> ScriptInvocation<'_> {
    let mut invocation = script.prepare_invoke();
    invocation
        .key(keys::record(id))
        .key(keys::control(id))
        .key(keys::events(id));
    invocation
}

/// Adds the keys of all queues: for each mode its sorted set `pending` and its list.
pub(super) fn add_queue_keys(invocation: &mut ScriptInvocation<'_>) {
    for mode in Mode::ALL {
        invocation.key(keys::pending(mode)).key(keys::queue(mode));
    }
}

/// The position of a mode among the keys of [`add_queue_keys`], from 1.
pub(super) fn mode_number(mode: Mode) -> usize {
    1 + mode as usize
}

impl Jobs {
    /// Runs a script, loading it first if Redis does not have it.
    pub(super) async fn call<T: FromRedisValue>(
        &self,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, JobsError> {
        let reply =
            self.redis
                .run(|mut connection| async move {
                    invocation.invoke_async::<Value>(&mut connection).await
                })
                .await?;
        parse_reply(reply)
    }
}
