//! Coalesces calls: items submitted while a call is in flight are sent together in the next one. A
//! lone item is sent at once.

use super::JobsError;
use crate::connection::not_connected;
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};
use tokio::{
    runtime::{Handle, Id},
    sync::oneshot,
};

/// A submitted item, and where its answer goes.
struct BatchItem<T, R> {
    item: T,
    answer: oneshot::Sender<Result<R, JobsError>>,
}

/// When an item is dropped before its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CancelPolicy {
    /// When its caller has gone, or when Redis does not answer an earlier call: the last item must
    /// not wait for one timeout after another.
    DropWithCaller,
    /// Never, except at the shutdown of the runtime.
    AlwaysSend,
}

/// The items that wait for the next call.
struct Pending<T, R>(Mutex<PendingState<T, R>>);

struct PendingState<T, R> {
    items: Vec<BatchItem<T, R>>,
    /// A flusher runs and will send what is added.
    has_flusher: bool,
}

impl<T, R> Default for Pending<T, R> {
    fn default() -> Self {
        Self(Mutex::new(PendingState {
            items: Vec::new(),
            has_flusher: false,
        }))
    }
}

impl<T, R> Pending<T, R> {
    fn lock(&self) -> MutexGuard<'_, PendingState<T, R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item. True when the caller must start a flusher.
    fn add(&self, entry: BatchItem<T, R>) -> bool {
        let mut waiting = self.lock();
        waiting.items.push(entry);
        !mem::replace(&mut waiting.has_flusher, true)
    }

    /// Takes the items of the next call. `None` ends the flusher.
    fn take_batch(&self, most: usize, waits: CancelPolicy) -> Option<Vec<BatchItem<T, R>>> {
        let mut waiting = self.lock();
        if waits == CancelPolicy::DropWithCaller {
            waiting.items.retain(|entry| !entry.answer.is_closed());
        }
        if waiting.items.is_empty() {
            waiting.has_flusher = false;
            return None;
        }
        let most = waiting.items.len().min(most);
        Some(waiting.items.drain(..most).collect())
    }

    fn take_all(&self) -> Vec<BatchItem<T, R>> {
        mem::take(&mut self.lock().items)
    }
}

/// Sends batches until no item waits. If it is dropped before (its runtime was shut down), the
/// waiting items fail and the next item starts a new flusher.
struct Flusher<T, R> {
    pending: Arc<Pending<T, R>>,
    is_done: bool,
}

impl<T, R> Flusher<T, R> {
    fn next_batch(&mut self, most: usize, waits: CancelPolicy) -> Option<Vec<BatchItem<T, R>>> {
        let entries = self.pending.take_batch(most, waits);
        // Once there was none, another flusher may run.
        self.is_done = entries.is_none();
        entries
    }
}

impl<T, R> Drop for Flusher<T, R> {
    fn drop(&mut self) {
        if !self.is_done {
            let mut waiting = self.pending.lock();
            waiting.items.clear();
            waiting.has_flusher = false;
        }
    }
}

/// Batches calls, for each runtime by itself, as each has connections of its own: an answer need not
/// wake another thread.
pub(super) struct Batcher<T, R> {
    /// Bounds the items of one call, as other clients of Redis wait while it runs.
    max_batch: usize,
    policy: CancelPolicy,
    by_runtime: RwLock<HashMap<Id, Arc<Pending<T, R>>>>,
}

impl<T: Send + 'static, R: Send + 'static> Batcher<T, R> {
    pub(super) fn new(max_batch: usize, policy: CancelPolicy) -> Self {
        Self {
            max_batch,
            policy,
            by_runtime: RwLock::default(),
        }
    }

    /// Submits an item and awaits its answer. `call` returns an answer for each of its items, in
    /// their order, or one error for all. The `call` of another caller may send this item.
    pub(super) async fn submit<F>(
        &self,
        given: T,
        call: impl Fn(Vec<T>) -> F + Send + 'static,
    ) -> Result<R, JobsError>
    where
        F: Future<Output = Result<Vec<R>, JobsError>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let group = self.pending();
        if group.add(BatchItem {
            item: given,
            answer,
        }) {
            let caller = Flusher {
                pending: group,
                is_done: false,
            };
            tokio::spawn(flush(caller, self.max_batch, self.policy, call));
        }
        answered
            .await
            .unwrap_or_else(|_gone| Err(not_connected().into()))
    }

    fn pending(&self) -> Arc<Pending<T, R>> {
        let here = Handle::current().id();
        let known = self.by_runtime.read();
        if let Some(group) = known.unwrap_or_else(PoisonError::into_inner).get(&here) {
            return Arc::clone(group);
        }
        let mut known = self
            .by_runtime
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(here).or_default())
    }
}

async fn flush<T, R, F>(
    mut caller: Flusher<T, R>,
    most: usize,
    waits: CancelPolicy,
    call: impl Fn(Vec<T>) -> F,
) where
    F: Future<Output = Result<Vec<R>, JobsError>>,
{
    while let Some(entries) = caller.next_batch(most, waits) {
        let (given, answers): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .map(|entry| (entry.item, entry.answer))
            .unzip();
        match call(given).await {
            // A send fails when the caller has gone.
            Ok(replies) => answers
                .into_iter()
                .zip(replies)
                .for_each(|(answer, reply)| {
                    let _nobody_waits = answer.send(Ok(reply));
                }),
            Err(error) => {
                let is_away = matches!(error, JobsError::Unavailable(_));
                let behind = match waits {
                    CancelPolicy::DropWithCaller if is_away => caller.pending.take_all(),
                    _ => Vec::new(),
                };
                let behind = behind.into_iter().map(|entry| entry.answer);
                answers.into_iter().chain(behind).for_each(|answer| {
                    let _nobody_waits = answer.send(Err(error.clone()));
                });
            }
        }
    }
}
