//! What all responses with Server-Sent Events share: headers, heartbeats, the retry time
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use std::{convert::Infallible, time::Duration};

/// Proxies and browsers close a connection that is idle for about a minute.
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// A comment, which clients ignore.
pub(crate) const HEARTBEAT_COMMENT: Bytes = Bytes::from_static(b":\n");
/// The time in ms before a client reconnects. Sent with the first event: some libraries read a
/// separate block as an event without data.
const RETRY_FIELD: Bytes = Bytes::from_static(b"retry: 1000\n");

/// A response that streams `chunks`.
pub(crate) fn streaming_response(
    mut answer: HttpResponseBuilder,
    chunks: impl Stream<Item = Bytes> + 'static,
) -> HttpResponse {
    answer
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Stops nginx from buffering the events.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(
            stream::iter([RETRY_FIELD])
                .chain(chunks)
                .map(Ok::<Bytes, Infallible>),
        )
}
