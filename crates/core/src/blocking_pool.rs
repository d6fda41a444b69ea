//! A fixed number of threads for blocking work.
//!
//! Tokio's blocking pool adds a thread whenever none is idle and, under load, never shrinks: each
//! pause of the machine leaves more threads, each with its share of the allocator's memory. Use
//! this pool for frequent short work. Leave work that may hang (names, pages, files) on Tokio's
//! pool, where it delays nothing else.

use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::{JoinHandle, spawn_blocking},
};

/// A bounded thread pool. Threads start when needed and end after ten idle seconds. If the pool
/// cannot be built, work runs on the caller's Tokio runtime.
#[derive(Debug, Default)]
pub struct BlockingPool(Option<Runtime>);

impl BlockingPool {
    /// A pool of at most `count` threads.
    #[must_use]
    pub fn new(count: usize) -> Self {
        // A current-thread runtime adds no worker thread; only its blocking pool is used.
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(count)
            .build();
        if let Err(error) = &runtime {
            tracing::warn!(%error, "the blocking pool could not be built; Tokio's own pool is used");
        }
        Self(runtime.ok())
    }

    /// Runs `work` when a thread is free, even if the handle is dropped. Must be called in a
    /// runtime.
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

    /// The runtime of the pool; `None` if it could not be built.
    pub(crate) fn handle(&self) -> Option<&Handle> {
        self.0.as_ref().map(Runtime::handle)
    }
}

impl Drop for BlockingPool {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A plain drop would block until all work is done, which panics inside a task.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, sync::Arc, sync::Barrier, thread};

    #[tokio::test]
    async fn the_pool_uses_exactly_its_number_of_threads() {
        let threads = BlockingPool::new(2);
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
    async fn dropping_the_pool_in_a_task_lets_running_work_finish() {
        let threads = BlockingPool::new(1);
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = std::sync::mpsc::channel();
        let work = threads.spawn(move || {
            begun.send(()).unwrap();
            may_go.recv().is_ok()
        });
        has_begun.recv().unwrap();
        drop(threads);
        go.send(()).unwrap();
        assert!(work.await.unwrap(), "running work finishes");
    }
}
