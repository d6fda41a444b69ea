//! Threads for work that blocks, so many and no more.
//!
//! The runtime's own start another whenever none of them happens to be idle, and under load none is idle
//! for long enough to end: each moment in which the machine paused leaves some behind, each with its part
//! of the allocator's memory. What is asked for at a high rate belongs here; what may hang (names, pages,
//! files) stays there, where it holds up nothing else.

use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::{JoinHandle, spawn_blocking},
};

/// A fixed number of threads, which come when they are needed and go after ten seconds without work.
/// Where the system gives none, those of the runtime that asks do the work, as they do by default.
#[derive(Debug, Default)]
pub struct Threads(Option<Runtime>);

impl Threads {
    /// At most `count` of them.
    #[must_use]
    pub fn new(count: usize) -> Self {
        // Nothing ever runs on it but blocking work: it has no thread besides.
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(count)
            .build();
        if let Err(error) = &runtime {
            tracing::warn!(%error, "no threads apart for work that blocks");
        }
        Self(runtime.ok())
    }

    /// Runs `work` when a thread is free, whether somebody waits for it or not. Called by a task.
    pub fn spawn<T, F>(&self, work: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match &self.0 {
            Some(runtime) => runtime.spawn_blocking(work),
            None => spawn_blocking(work),
        }
    }

    /// For those who spawn by themselves.
    pub(crate) fn handle(&self) -> Option<&Handle> {
        self.0.as_ref().map(Runtime::handle)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A plain drop would block until the last work is done, which a task must not.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, sync::Arc, sync::Barrier, thread};

    #[tokio::test]
    async fn work_takes_turns_on_so_many_threads() {
        let threads = Threads::new(2);
        let both = Arc::new(Barrier::new(2));
        let work: Vec<_> = (0..100)
            .map(|_| {
                let both = Arc::clone(&both);
                threads.spawn(move || {
                    both.wait();
                    thread::current().id()
                })
            })
            .collect();
        let mut seen = HashSet::new();
        for one in work {
            seen.insert(one.await.unwrap());
        }
        assert_eq!(seen.len(), 2);
    }

    #[tokio::test]
    async fn they_can_be_given_up_by_a_task_while_they_work() {
        let threads = Threads::new(1);
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = std::sync::mpsc::channel();
        let work = threads.spawn(move || {
            begun.send(()).unwrap();
            may_go.recv().is_ok()
        });
        has_begun.recv().unwrap();
        drop(threads);
        go.send(()).unwrap();
        assert!(work.await.unwrap(), "what has begun runs to its end");
    }
}
