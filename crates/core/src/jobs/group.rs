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
struct Entry<T, R> {
    given: T,
    answer: oneshot::Sender<Result<R, JobsError>>,
}

/// When an item is dropped before its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// When its caller has gone, or when Redis does not answer an earlier call: the last item must
    /// not wait for one timeout after another.
    WithItsCaller,
    /// Never, except at the shutdown of the runtime.
    ForItsTurn,
}

/// The items that wait for the next call.
struct Group<T, R>(Mutex<Waiting<T, R>>);

struct Waiting<T, R> {
    entries: Vec<Entry<T, R>>,
    /// A flusher runs and will send what is added.
    has_caller: bool,
}

impl<T, R> Default for Group<T, R> {
    fn default() -> Self {
        Self(Mutex::new(Waiting {
            entries: Vec::new(),
            has_caller: false,
        }))
    }
}

impl<T, R> Group<T, R> {
    fn lock(&self) -> MutexGuard<'_, Waiting<T, R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item. True when the caller must start a flusher.
    fn add(&self, entry: Entry<T, R>) -> bool {
        let mut waiting = self.lock();
        waiting.entries.push(entry);
        !mem::replace(&mut waiting.has_caller, true)
    }

    /// Takes the items of the next call. `None` ends the flusher.
    fn next(&self, most: usize, waits: Waits) -> Option<Vec<Entry<T, R>>> {
        let mut waiting = self.lock();
        if waits == Waits::WithItsCaller {
            waiting.entries.retain(|entry| !entry.answer.is_closed());
        }
        if waiting.entries.is_empty() {
            waiting.has_caller = false;
            return None;
        }
        let most = waiting.entries.len().min(most);
        Some(waiting.entries.drain(..most).collect())
    }

    fn all(&self) -> Vec<Entry<T, R>> {
        mem::take(&mut self.lock().entries)
    }
}

/// Sends batches until no item waits. If it is dropped before (its runtime was shut down), the
/// waiting items fail and the next item starts a new flusher.
struct Caller<T, R> {
    group: Arc<Group<T, R>>,
    is_done: bool,
}

impl<T, R> Caller<T, R> {
    fn next(&mut self, most: usize, waits: Waits) -> Option<Vec<Entry<T, R>>> {
        let entries = self.group.next(most, waits);
        // Once there was none, another flusher may run.
        self.is_done = entries.is_none();
        entries
    }
}

impl<T, R> Drop for Caller<T, R> {
    fn drop(&mut self) {
        if !self.is_done {
            let mut waiting = self.group.lock();
            waiting.entries.clear();
            waiting.has_caller = false;
        }
    }
}

/// Batches calls, for each runtime by itself, as each has connections of its own: an answer need not
/// wake another thread.
pub(super) struct Groups<T, R> {
    /// Bounds the items of one call, as other clients of Redis wait while it runs.
    most: usize,
    waits: Waits,
    of_runtimes: RwLock<HashMap<Id, Arc<Group<T, R>>>>,
}

impl<T: Send + 'static, R: Send + 'static> Groups<T, R> {
    pub(super) fn new(most: usize, waits: Waits) -> Self {
        Self {
            most,
            waits,
            of_runtimes: RwLock::default(),
        }
    }

    /// Submits an item and awaits its answer. `call` returns an answer for each of its items, in
    /// their order, or one error for all. The `call` of another caller may send this item.
    pub(super) async fn hand_in<F>(
        &self,
        given: T,
        call: impl Fn(Vec<T>) -> F + Send + 'static,
    ) -> Result<R, JobsError>
    where
        F: Future<Output = Result<Vec<R>, JobsError>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let group = self.group();
        if group.add(Entry { given, answer }) {
            let caller = Caller {
                group,
                is_done: false,
            };
            tokio::spawn(call_for_all(caller, self.most, self.waits, call));
        }
        answered
            .await
            .unwrap_or_else(|_gone| Err(not_connected().into()))
    }

    fn group(&self) -> Arc<Group<T, R>> {
        let here = Handle::current().id();
        let known = self.of_runtimes.read();
        if let Some(group) = known.unwrap_or_else(PoisonError::into_inner).get(&here) {
            return Arc::clone(group);
        }
        let mut known = self
            .of_runtimes
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(here).or_default())
    }
}

async fn call_for_all<T, R, F>(
    mut caller: Caller<T, R>,
    most: usize,
    waits: Waits,
    call: impl Fn(Vec<T>) -> F,
) where
    F: Future<Output = Result<Vec<R>, JobsError>>,
{
    while let Some(entries) = caller.next(most, waits) {
        let (given, answers): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .map(|entry| (entry.given, entry.answer))
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
                    Waits::WithItsCaller if is_away => caller.group.all(),
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
