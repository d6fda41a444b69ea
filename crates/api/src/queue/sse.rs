//! The snapshots of the queue as a response of Server-Sent Events.

use super::{Latest, Snapshot};
use crate::{
    metrics::Listening,
    sse::{self, BEAT, HEARTBEAT},
};
use actix_web::HttpResponse;
use bytes::Bytes;
use futures_util::stream;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

/// A snapshot as an SSE block; its JSON has no line breaks.
pub(super) fn event(snapshot: &Snapshot) -> Latest {
    let data = serde_json::to_string(snapshot.body()).ok()?;
    Some(Bytes::from(format!("event: queue\ndata: {data}\n\n")))
}

/// A response that sends each snapshot until the process stops. A slow client skips to the newest.
pub(crate) fn answer(
    latest: watch::Receiver<Latest>,
    stopping: CancellationToken,
    listening: Listening,
) -> HttpResponse {
    let events = stream::unfold(
        (latest, stopping, listening),
        |(mut latest, stopping, listening)| async move {
            let chunk = next(&mut latest, &stopping).await?;
            Some((chunk, (latest, stopping, listening)))
        },
    );
    sse::answer(HttpResponse::Ok(), events)
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
