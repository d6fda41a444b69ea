//! The snapshots of the queue as a response of Server-Sent Events.

use super::{LatestEvent, Snapshot};
use crate::{
    metrics::SubscriberGuard,
    sse::{self, HEARTBEAT_COMMENT, HEARTBEAT_INTERVAL},
};
use actix_web::HttpResponse;
use bytes::Bytes;
use futures_util::stream;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

/// A snapshot as an SSE block; its JSON has no line breaks.
pub(super) fn encode_event(snapshot: &Snapshot) -> LatestEvent {
    let data = serde_json::to_string(snapshot.body()).ok()?;
    Some(Bytes::from(format!("event: queue\ndata: {data}\n\n")))
}

/// A response that sends each snapshot until the process stops. A slow client skips to the newest.
pub(crate) fn queue_events_response(
    latest: watch::Receiver<LatestEvent>,
    stopping: CancellationToken,
    listening: SubscriberGuard,
) -> HttpResponse {
    let events = stream::unfold(
        (latest, stopping, listening),
        |(mut latest, stopping, listening)| async move {
            let chunk = next_chunk(&mut latest, &stopping).await?;
            Some((chunk, (latest, stopping, listening)))
        },
    );
    sse::streaming_response(HttpResponse::Ok(), events)
}

async fn next_chunk(
    latest: &mut watch::Receiver<LatestEvent>,
    stopping: &CancellationToken,
) -> Option<Bytes> {
    loop {
        tokio::select! {
            changed = latest.changed() => changed.ok()?,
            () = sleep(HEARTBEAT_INTERVAL) => return Some(HEARTBEAT_COMMENT),
            () = stopping.cancelled() => return None,
        }
        if let Some(event) = latest.borrow_and_update().clone() {
            return Some(event);
        }
    }
}
