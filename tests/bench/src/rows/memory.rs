//! The resident memory of an idle service, and what each listening client adds.

use crate::figures::{Figure, Goal, Row};
use crate::scale::Scale;
use crate::sites::{SUBMITTED, service, web};
use privachat_tests::Stack;
use privachat_tests::event_listeners::{
    raise_limit, request_events, resident_kib, wait_for_first_event,
};
use privachat_tests::fixtures::{question, wait_until_idle};
use rustix::process::{Resource, getrlimit};

/// Files that the process needs beside its listeners.
const OTHER_FILES: u64 = 500;

pub(crate) async fn memory(scale: Scale) -> Row {
    raise_limit();
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = usize::try_from(limit.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    let listeners = scale.listeners.min(most);
    let (mut api, mut worker) = (Figure::new("api", "MB"), Figure::new("worker", "MB"));
    let mut streams = Figure::new("a listener (SSE)", "KB");
    let mut sockets = Figure::new("a listener (WebSocket)", "KB");
    for _ in 0..scale.rounds {
        let web = web();
        let address = web.url();
        let mut stack = service(1, &[("SEARXNG_BASE_URL", &address)]).await;
        // Every service in use has allocated what the first search needs.
        let first = serde_json::from_str(SUBMITTED).expect("a request");
        let id = stack.client().enqueue(first).await;
        stack.client().wait_completed(&id).await;
        wait_until_idle(&stack).await;
        api.samples.push(megabytes(stack.api.process().id()));
        let process = stack.workers[0].process().id();
        worker.samples.push(megabytes(process));
        drop(stack);
        streams.samples.push(each(listeners, false).await);
        sockets.samples.push(each(listeners, true).await);
    }
    let mut notes = vec![format!(
        "Resident memory of the release binaries after one search, with nothing to do; a listener is one \
         of {listeners} on one API, which all listen to one search that waits."
    )];
    if listeners < scale.listeners {
        notes.push(format!(
            "{} listeners were wanted; the limit of open files here is {limit}.",
            scale.listeners
        ));
    }
    Row {
        goals: vec![
            Goal::at_most(30.0, &api),
            Goal::at_most(60.0, &worker),
            Goal::at_most(20.0, &streams),
            Goal::at_most(20.0, &sockets),
        ],
        figures: vec![api, worker, streams, sockets],
        notes,
        ..Row::default()
    }
}

fn megabytes(process: u32) -> f64 {
    resident_kib(process) as f64 * 1024.0 / 1e6
}

/// Kilobytes of the API per idle listener.
async fn each(listeners: usize, socket: bool) -> f64 {
    let mut stack: Stack = service(0, &[]).await;
    let process = stack.api.process().id();
    let id = stack.client().enqueue(question()).await;
    wait_for_first_event(&mut request_events(stack.client(), &id, socket).await).await;
    let before = resident_kib(process);
    let mut held = Vec::with_capacity(listeners);
    for _ in 0..listeners {
        let mut stream = request_events(stack.client(), &id, socket).await;
        wait_for_first_event(&mut stream).await;
        held.push(stream);
    }
    let grown = resident_kib(process).saturating_sub(before);
    grown as f64 * 1.024 / listeners as f64
}
