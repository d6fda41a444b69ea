//! Enqueueing jobs under fresh ids with one script call for all that arrive at the same time.

use super::{
    EnqueueResult, Jobs, JobsError, NewJob,
    damage::KeyGroup,
    enqueue::{add_new_job_args, parse_enqueue_result},
    error::parse_reply,
    millis,
    scripts::{add_queue_keys, mode_number},
};
use crate::keys;
use redis::Value;

/// Jobs in one script call.
pub(super) const MAX_BATCH: usize = 32;

impl Jobs {
    /// Enqueues a job in the next batch.
    pub(super) async fn enqueue_batched(&self, job: NewJob) -> Result<EnqueueResult, JobsError> {
        let jobs = self.clone();
        let accept = move |accepted| jobs.clone().enqueue_batch(accepted);
        self.enqueue_batcher.submit(job, accept).await
    }

    async fn enqueue_batch(self, jobs: Vec<NewJob>) -> Result<Vec<EnqueueResult>, JobsError> {
        let mut invocation = self.scripts.enqueue.prepare_invoke();
        invocation
            .key(keys::LIVE)
            .key(keys::CALLBACKS)
            .key(keys::SEQ);
        add_queue_keys(&mut invocation);
        for job in &jobs {
            invocation
                .key(keys::record(job.id))
                .key(keys::control(job.id));
            add_new_job_args(&mut invocation, job);
            invocation
                .arg(job.id.to_string())
                .arg(millis(job.max_lifetime()))
                .arg(mode_number(job.mode));
        }
        let invocation = &invocation;
        let accept = || async {
            let accepted = self.redis.run_once(|mut connection| async move {
                invocation.invoke_async::<Value>(&mut connection).await
            });
            parse_reply(accepted.await?)
        };
        let (depth, outcomes): (u64, String) = self.with_repair(KeyGroup::Queues, accept).await?;
        self.remember_depth(depth);
        outcomes.split(' ').map(parse_enqueue_result).collect()
    }
}
