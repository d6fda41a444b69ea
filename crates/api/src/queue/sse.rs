//! The queue as Server-Sent Events.

use super::{Latest, Snapshot};
use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::{convert::Infallible, time::Duration};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

/// Proxies and browsers close a connection on which nothing is said for a minute or so.
const HEARTBEAT: Duration = Duration::from_secs(15);
const BEAT: Bytes = Bytes::from_static(b":\n\n");
/// How long a client waits before it comes again after a cut, in ms.
const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n\n");

/// A snapshot as an event; JSON has no line breaks of its own.
pub(super) fn event(snapshot: &Snapshot) -> Latest {
    let data = serde_json::to_string(snapshot.body()).ok()?;
    Some(Bytes::from(format!("event: queue\ndata: {data}\n\n")))
}

/// An answer that sends each snapshot until the process stops. One who reads slowly gets the newest
/// and never those between.
pub(crate) fn answer(latest: watch::Receiver<Latest>, stopping: CancellationToken) -> HttpResponse {
    let events = stream::unfold((latest, stopping), |(mut latest, stopping)| async move {
        let chunk = next(&mut latest, &stopping).await?;
        Some((chunk, (latest, stopping)))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // nginx would gather the events otherwise.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(
            stream::iter([RETRY])
                .chain(events)
                .map(Ok::<Bytes, Infallible>),
        )
}

async fn next(latest: &mut watch::Receiver<Latest>, stopping: &CancellationToken) -> Option<Bytes> {
    loop {
        tokio::select! {
            changed = latest.changed() => changed.ok()?,
            () = sleep(HEARTBEAT) => return Some(BEAT),
            () = stopping.cancelled() => return None,
        }
        if let Some(event) = latest.borrow_and_update().clone() {
            return Some(event);
        }
    }
}
