//! Work that keeps a processor busy, away from the threads that serve connections, and no more of it
//! at once than there are processors: more would only make all of it late.

use super::deadline::Deadline;
use std::{
    num::NonZero,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

/// The processors are the process's, so their turns are, too.
static TURNS: Turns = Turns::new();

/// Runs `work` on a thread for such work until `deadline`. `None` when it is late or panicked. Late
/// work still runs to its end, unheard, in its turn: a thread cannot be stopped. What has not begun
/// by then never does.
pub(super) async fn cut<T, F>(deadline: Deadline, work: F) -> Option<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let most = thread::available_parallelism().map_or(1, NonZero::get);
    cut_in(&TURNS, most, deadline, work).await
}

async fn cut_in<T, F>(turns: &'static Turns, most: usize, deadline: Deadline, work: F) -> Option<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    // Gone with this future, whether it is cut or dropped.
    let asker = Arc::new(());
    let is_asked = Arc::downgrade(&asker);
    let working = tokio::task::spawn_blocking(move || {
        let _turn = turns.take(most);
        (is_asked.strong_count() > 0).then(work)
    });
    match deadline.cut(working).await? {
        Ok(value) => value,
        Err(error) => {
            tracing::error!(%error, "a stage of the pipeline panicked");
            None
        }
    }
}

/// How many are at work.
struct Turns {
    taken: Mutex<usize>,
    given_back: Condvar,
}

/// The right to work until it is dropped.
struct Turn<'a>(&'a Turns);

impl Turns {
    const fn new() -> Self {
        Self {
            taken: Mutex::new(0),
            given_back: Condvar::new(),
        }
    }

    /// Waits until fewer than `most` are at work.
    fn take(&self, most: usize) -> Turn<'_> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.given_back.wait_while(taken, |taken| *taken >= most);
        *waited.unwrap_or_else(PoisonError::into_inner) += 1;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let turns = self.0;
        *turns.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        turns.given_back.notify_one();
    }
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

    #[tokio::test]
    async fn late_work_is_cut() {
        let (release, wait) = mpsc::channel::<()>();
        let deadline = Deadline::after(Duration::from_millis(20));
        let result = cut(deadline, move || wait.recv().is_ok()).await;
        assert_eq!(result, None);
        assert!(deadline.is_over());
        drop(release);
    }

    #[tokio::test]
    async fn a_panic_costs_the_stage_and_nothing_else() {
        static TURNS: Turns = Turns::new();
        let deadline = Deadline::after(Duration::from_secs(5));
        let broken = cut_in(&TURNS, 1, deadline, || -> u8 { panic!("bad page") });
        assert_eq!(broken.await, None);
        assert_eq!(cut_in(&TURNS, 1, deadline, || 1).await, Some(1));
    }

    #[tokio::test]
    async fn no_more_work_at_once_than_there_are_turns() {
        static TURNS: Turns = Turns::new();
        static AT_WORK: AtomicUsize = AtomicUsize::new(0);
        let deadline = Deadline::after(Duration::from_secs(20));
        let all = (0..20).map(|_| {
            cut_in(&TURNS, 2, deadline, || {
                let at_work = AT_WORK.fetch_add(1, Ordering::SeqCst) + 1;
                // Long enough for all the others to begin, if they could.
                thread::sleep(Duration::from_millis(5));
                AT_WORK.fetch_sub(1, Ordering::SeqCst);
                at_work
            })
        });
        let most = futures_util::future::join_all(all).await;
        assert_eq!(most.into_iter().flatten().max(), Some(2));
    }

    #[tokio::test]
    async fn what_nobody_asks_for_any_more_never_begins() {
        static TURNS: Turns = Turns::new();
        let busy = TURNS.take(1);
        let (begin, begun) = mpsc::channel::<()>();
        let soon = Deadline::after(Duration::from_millis(20));
        let late = cut_in(&TURNS, 1, soon, move || begin.send(()));
        assert!(late.await.is_none());
        drop(busy);
        let next = Deadline::after(Duration::from_secs(5));
        assert_eq!(cut_in(&TURNS, 1, next, || 1).await, Some(1));
        // The late one has had its turn or will not get one: its sender is gone, unused.
        assert!(begun.recv().is_err());
    }
}
