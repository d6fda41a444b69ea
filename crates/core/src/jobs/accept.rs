//! Enqueueing jobs under fresh ids with one script call for all that arrive at the same time.

use super::{
    Jobs, JobsError, NewJob, Submitted,
    damage::Scope,
    error::read,
    millis,
    scripts::{number, on_queues},
    submit::{begin, submitted},
};
use crate::keys;
use redis::Value;

/// Jobs in one script call.
pub(super) const MOST: usize = 32;

impl Jobs {
    /// Enqueues a job in the next batch.
    pub(super) async fn accept(&self, job: NewJob) -> Result<Submitted, JobsError> {
        let jobs = self.clone();
        let accept = move |accepted| jobs.clone().accept_all(accepted);
        self.accepted.hand_in(job, accept).await
    }

    async fn accept_all(self, jobs: Vec<NewJob>) -> Result<Vec<Submitted>, JobsError> {
        let mut invocation = self.scripts.accept.prepare_invoke();
        invocation
            .key(keys::LIVE)
            .key(keys::CALLBACKS)
            .key(keys::SEQ);
        on_queues(&mut invocation);
        for job in &jobs {
            invocation
                .key(keys::record(job.id))
                .key(keys::control(job.id));
            begin(&mut invocation, job);
            invocation
                .arg(job.id.to_string())
                .arg(millis(job.longest_life()))
                .arg(number(job.mode));
        }
        let invocation = &invocation;
        let accept = || async {
            let accepted = self.redis.run_once(|mut connection| async move {
                invocation.invoke_async::<Value>(&mut connection).await
            });
            read(accepted.await?)
        };
        let (depth, outcomes): (u64, String) = self.mending(Scope::Queues, accept).await?;
        self.note_depth(depth);
        outcomes.split(' ').map(submitted).collect()
    }
}
