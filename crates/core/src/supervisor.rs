//! Supervises the background tasks of a process. Each must run as long as the process: after an
//! unnoticed exit of one task the process would look healthy without doing its work.

use std::collections::HashMap;
use tokio::task::{Id, JoinError, JoinSet};

/// Named tasks that run as long as the process. Dropping the set aborts them.
#[derive(Default)]
pub struct TaskSet {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

/// A task has ended before the process.
#[derive(Debug, thiserror::Error)]
pub enum TaskExited {
    /// The task panicked.
    #[error("{part} died")]
    Panicked {
        /// The name given to `spawn`.
        part: &'static str,
        /// Holds the panic message.
        source: JoinError,
    },
    /// The task returned.
    #[error("{part} ended by itself")]
    Returned {
        /// The name given to `spawn`.
        part: &'static str,
    },
}

impl TaskSet {
    /// Starts a task. [`TaskExited`] reports it by `name`.
    pub fn spawn(&mut self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(part).id();
        self.names.insert(id, name);
    }

    /// Waits until any task ends; never returns if there are no tasks.
    pub async fn next_exit(&mut self) -> TaskExited {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => TaskExited::Returned {
                part: self.task_name(id),
            },
            Some(Err(source)) => self.panic_error(source),
            None => std::future::pending().await,
        }
    }

    /// Waits for all tasks to end, after the caller has asked them to stop.
    ///
    /// # Errors
    /// [`TaskExited::Panicked`] for the first task that panicked.
    pub async fn join_all(mut self) -> Result<(), TaskExited> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(|source| self.panic_error(source))?;
        }
        Ok(())
    }

    fn panic_error(&self, source: JoinError) -> TaskExited {
        TaskExited::Panicked {
            part: self.task_name(source.id()),
            source,
        }
    }

    fn task_name(&self, id: Id) -> &'static str {
        self.names.get(&id).copied().unwrap_or("a part")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    async fn run_forever() {
        std::future::pending().await
    }

    #[tokio::test]
    async fn a_panic_is_reported_with_task_name_and_message() {
        let mut parts = TaskSet::default();
        parts.spawn("the sweeper", run_forever());
        parts.spawn("the outbox", async { panic!("out of luck") });
        let died = parts.next_exit().await;
        assert_eq!(died.to_string(), "the outbox died");
        let reason = died.source().map(ToString::to_string);
        assert!(reason.is_some_and(|reason| reason.contains("out of luck")));
    }

    #[tokio::test]
    async fn a_return_is_reported_with_the_task_name() {
        let mut parts = TaskSet::default();
        parts.spawn("the sweeper", async {});
        parts.spawn("the outbox", run_forever());
        assert_eq!(
            parts.next_exit().await.to_string(),
            "the sweeper ended by itself"
        );
    }

    #[tokio::test]
    async fn joining_accepts_returned_tasks_and_reports_a_panic() {
        let mut parts = TaskSet::default();
        parts.spawn("the sweeper", async {});
        assert!(parts.join_all().await.is_ok());

        let mut parts = TaskSet::default();
        parts.spawn("the sweeper", async {});
        parts.spawn("the outbox", async { panic!("out of luck") });
        let died = parts.join_all().await.map_err(|died| died.to_string());
        assert_eq!(died, Err("the outbox died".to_owned()));
    }
}
