//! What all streams of Server-Sent Events share:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use std::{convert::Infallible, time::Duration};

/// Proxies and browsers close a connection on which nothing is said for a minute or so.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
/// A comment, which readers skip.
pub(crate) const BEAT: Bytes = Bytes::from_static(b":\n");
/// How long a client waits before it comes again after a cut, in ms. A part of the first event: some
/// libraries take a block of its own for an event without data.
const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n");

/// An answer that sends these chunks as they come.
pub(crate) fn answer(
    mut answer: HttpResponseBuilder,
    chunks: impl Stream<Item = Bytes> + 'static,
) -> HttpResponse {
    answer
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // nginx would gather the events otherwise.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(
            stream::iter([RETRY])
                .chain(chunks)
                .map(Ok::<Bytes, Infallible>),
        )
}
