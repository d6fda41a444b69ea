//! The job engine: how a search is queued, claimed, retried, cancelled and recorded.

mod batched_submit;
mod cancellation;
mod damaged_keys;
mod fairness;
mod idempotency;
mod job_claims;
mod lifecycle;
mod lost_workers;
mod reconcile;
mod redis_record;
mod retries;
mod state_machine;
