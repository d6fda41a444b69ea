//! Work that keeps a processor busy, away from the threads that serve connections.

use super::deadline::Deadline;

/// Runs `work` on a thread for such work until `deadline`. `None` when it is late or panicked. Late
/// work still runs to its end, unheard: a thread cannot be stopped.
pub(super) async fn cut<T, F>(deadline: Deadline, work: F) -> Option<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    match deadline.cut(tokio::task::spawn_blocking(work)).await? {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::error!(%error, "a stage of the pipeline panicked");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Duration};

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
        let deadline = Deadline::after(Duration::from_secs(5));
        assert_eq!(cut(deadline, || -> u8 { panic!("bad page") }).await, None);
        assert_eq!(cut(deadline, || 1).await, Some(1));
    }
}
