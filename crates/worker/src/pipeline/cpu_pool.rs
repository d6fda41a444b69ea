//! Runs CPU-bound work off the threads that serve connections, one task per processor at a time:
//! more would only delay all of them.

use super::deadline::Deadline;
use privachat_core::blocking_pool::BlockingPool;
use std::{num::NonZero, sync::Arc, thread};
use tokio::sync::Semaphore;
use tracing::Span;

/// Limits CPU-bound work to one task per processor. Clones share the limit.
#[derive(Clone)]
pub struct CpuPool {
    turns: Arc<Semaphore>,
    threads: Arc<BlockingPool>,
}

/// Uses the threads of the runtime: a test with a paused clock waits for them.
impl Default for CpuPool {
    fn default() -> Self {
        Self::on(BlockingPool::default(), processor_count())
    }
}

impl CpuPool {
    /// Starts threads of its own, one per processor.
    #[must_use]
    pub fn apart() -> Self {
        let count = processor_count();
        Self::on(BlockingPool::new(count), count)
    }

    /// Runs at most `count` tasks at once.
    fn on(threads: BlockingPool, count: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(count)),
            threads: Arc::new(threads),
        }
    }

    /// Runs `work` until `deadline`; `None` when it is late or panics. Work that is late runs to
    /// its end, as a thread cannot be stopped, and keeps its permit; its result is dropped. Work
    /// that has not begun by `deadline` never begins.
    pub(super) async fn cut<T, F>(&self, deadline: Deadline, work: F) -> Option<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let turn = deadline
            .limit(Arc::clone(&self.turns).acquire_owned())
            .await?;
        let turn = turn.ok()?;
        let span = Span::current();
        let working = self.threads.spawn(move || {
            let _until_its_end = turn;
            span.in_scope(work)
        });
        match deadline.limit(working).await? {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::error!(%error, "a stage of the pipeline panicked");
                None
            }
        }
    }
}

/// The number of processors; 1 if it is unknown.
pub(crate) fn processor_count() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        time::Duration,
    };
    use tokio::{runtime::Builder, task::spawn_blocking};

    const SHORT_TIME: Duration = Duration::from_millis(20);
    const LONG_TIME: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn late_work_returns_nothing() {
        let (release, wait) = mpsc::channel::<()>();
        let deadline = Deadline::after(SHORT_TIME);
        let late = move || wait.recv().is_ok();
        assert_eq!(CpuPool::default().cut(deadline, late).await, None);
        assert!(deadline.has_passed());
        drop(release);
    }

    #[tokio::test]
    async fn work_goes_on_after_a_panic() {
        let cores = CpuPool::on(BlockingPool::new(1), 1);
        let deadline = Deadline::after(LONG_TIME);
        let broken = cores.cut(deadline, || -> u8 { panic!("bad page") });
        assert_eq!(broken.await, None);
        assert_eq!(cores.cut(deadline, || 1).await, Some(1));
    }

    #[tokio::test]
    async fn at_most_the_given_number_of_tasks_run_at_once() {
        let cores = CpuPool::on(BlockingPool::new(2), 2);
        let at_work = Arc::new(AtomicUsize::new(0));
        let all = (0..20).map(|_| {
            let at_work = Arc::clone(&at_work);
            cores.cut(Deadline::after(LONG_TIME), move || {
                let now = at_work.fetch_add(1, Ordering::SeqCst) + 1;
                // Long enough for the others to begin, if they were allowed to.
                thread::sleep(Duration::from_millis(5));
                at_work.fetch_sub(1, Ordering::SeqCst);
                now
            })
        });
        let most = futures_util::future::join_all(all).await;
        assert_eq!(most.into_iter().flatten().max(), Some(2));
    }

    #[test]
    fn a_hanging_runtime_thread_does_not_delay_a_pool_with_its_own_threads() {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (release, wait) = mpsc::channel::<()>();
            let hanging = spawn_blocking(move || wait.recv().is_ok());
            let ranked = CpuPool::apart().cut(Deadline::after(LONG_TIME), || 1).await;
            assert_eq!(ranked, Some(1));
            drop(release);
            assert!(!hanging.await.unwrap(), "it hung until now");
        });
    }

    #[tokio::test]
    async fn work_that_is_late_before_it_begins_never_runs() {
        let cores = CpuPool::on(BlockingPool::new(1), 1);
        let (release, wait) = mpsc::channel::<()>();
        let busy = cores.cut(Deadline::after(SHORT_TIME), move || wait.recv().is_ok());
        assert_eq!(busy.await, None);
        let (begin, begun) = mpsc::channel::<()>();
        let late = cores.cut(Deadline::after(SHORT_TIME), move || begin.send(()));
        assert!(late.await.is_none());
        drop(release);
        assert_eq!(cores.cut(Deadline::after(LONG_TIME), || 1).await, Some(1));
        // The late work was dropped with its sender.
        assert!(begun.recv().is_err());
    }
}
