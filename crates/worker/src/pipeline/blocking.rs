//! Work that keeps a processor busy, away from the threads that serve connections, and no more of it
//! at once than there are processors: more would only make all of it late.

use super::deadline::Deadline;
use privachat_core::blocking_pool::BlockingPool;
use std::{num::NonZero, sync::Arc, thread};
use tokio::sync::Semaphore;
use tracing::Span;

/// The processors of this machine. Clones share their turns.
#[derive(Clone)]
pub struct Cores {
    turns: Arc<Semaphore>,
    threads: Arc<BlockingPool>,
}

/// On the threads of the runtime, whose clock a test can stop for as long as they work.
impl Default for Cores {
    fn default() -> Self {
        Self::on(BlockingPool::default(), processors())
    }
}

impl Cores {
    /// On threads of their own, one for each processor.
    #[must_use]
    pub fn apart() -> Self {
        let count = processors();
        Self::on(BlockingPool::new(count), count)
    }

    /// So many pieces of work at once.
    fn on(threads: BlockingPool, count: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(count)),
            threads: Arc::new(threads),
        }
    }

    /// Runs `work` on a thread for such work until `deadline`. `None` when it is late or panicked.
    /// Late work still runs to its end, unheard, in its turn: a thread cannot be stopped. What has
    /// not begun by then never does.
    pub(super) async fn cut<T, F>(&self, deadline: Deadline, work: F) -> Option<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let turn = deadline
            .cut(Arc::clone(&self.turns).acquire_owned())
            .await?;
        let turn = turn.ok()?;
        let span = Span::current();
        let working = self.threads.spawn(move || {
            let _until_its_end = turn;
            span.in_scope(work)
        });
        match deadline.cut(working).await? {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::error!(%error, "a stage of the pipeline panicked");
                None
            }
        }
    }
}

/// How many there are; one where that cannot be known.
pub(crate) fn processors() -> usize {
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

    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn late_work_is_cut() {
        let (release, wait) = mpsc::channel::<()>();
        let deadline = Deadline::after(SOON);
        let late = move || wait.recv().is_ok();
        assert_eq!(Cores::default().cut(deadline, late).await, None);
        assert!(deadline.is_over());
        drop(release);
    }

    #[tokio::test]
    async fn a_panic_costs_the_stage_and_nothing_else() {
        let cores = Cores::on(BlockingPool::new(1), 1);
        let deadline = Deadline::after(LONG);
        let broken = cores.cut(deadline, || -> u8 { panic!("bad page") });
        assert_eq!(broken.await, None);
        assert_eq!(cores.cut(deadline, || 1).await, Some(1));
    }

    #[tokio::test]
    async fn no_more_work_at_once_than_there_are_cores() {
        let cores = Cores::on(BlockingPool::new(2), 2);
        let at_work = Arc::new(AtomicUsize::new(0));
        let all = (0..20).map(|_| {
            let at_work = Arc::clone(&at_work);
            cores.cut(Deadline::after(LONG), move || {
                let now = at_work.fetch_add(1, Ordering::SeqCst) + 1;
                // Long enough for all the others to begin, if they could.
                thread::sleep(Duration::from_millis(5));
                at_work.fetch_sub(1, Ordering::SeqCst);
                now
            })
        });
        let most = futures_util::future::join_all(all).await;
        assert_eq!(most.into_iter().flatten().max(), Some(2));
    }

    #[test]
    fn work_that_hangs_on_the_runtimes_threads_does_not_hold_up_ranking() {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (release, wait) = mpsc::channel::<()>();
            let hanging = spawn_blocking(move || wait.recv().is_ok());
            let ranked = Cores::apart().cut(Deadline::after(LONG), || 1).await;
            assert_eq!(ranked, Some(1));
            drop(release);
            assert!(!hanging.await.unwrap(), "it hung until now");
        });
    }

    #[tokio::test]
    async fn what_is_late_before_its_turn_never_begins() {
        let cores = Cores::on(BlockingPool::new(1), 1);
        let (release, wait) = mpsc::channel::<()>();
        let busy = cores.cut(Deadline::after(SOON), move || wait.recv().is_ok());
        assert_eq!(busy.await, None);
        let (begin, begun) = mpsc::channel::<()>();
        let late = cores.cut(Deadline::after(SOON), move || begin.send(()));
        assert!(late.await.is_none());
        drop(release);
        assert_eq!(cores.cut(Deadline::after(LONG), || 1).await, Some(1));
        // The late one will not get a turn any more: its sender is gone, unused.
        assert!(begun.recv().is_err());
    }
}
