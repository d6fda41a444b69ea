//! A search as Server-Sent Events: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

use super::{Frame, Listener, News};
use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use std::{collections::VecDeque, convert::Infallible, time::Duration};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Proxies and browsers close a connection on which nothing is said for a minute or so.
const HEARTBEAT: Duration = Duration::from_secs(15);
const BEAT: Bytes = Bytes::from_static(b":\n");
/// How long a client waits before it comes again after a cut, in ms. A part of the first event: some
/// libraries take a block of its own for an event without data.
const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n");

/// An answer that sends `first`, then what the listener hears, until the search has ended or the
/// process stops. The client then sees a stream that ended without its last event, and comes again.
pub(crate) fn answer(
    mut answer: HttpResponseBuilder,
    first: Vec<Frame>,
    listener: Listener,
    stopping: CancellationToken,
) -> HttpResponse {
    answer
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // nginx would gather the events otherwise.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(chunks(first, listener, stopping))
}

struct Sending {
    ready: VecDeque<Bytes>,
    listener: Option<Listener>,
    stopping: CancellationToken,
}

fn chunks(
    first: Vec<Frame>,
    listener: Listener,
    stopping: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let mut sending = Sending {
        ready: VecDeque::from([RETRY]),
        listener: Some(listener),
        stopping,
    };
    sending.take(first);
    stream::unfold(sending, |mut sending| async move {
        let chunk = sending.next().await?;
        Some((Ok(chunk), sending))
    })
}

impl Sending {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Some(chunk);
            }
            let listener = self.listener.as_mut()?;
            let news = tokio::select! {
                news = listener.next() => news,
                () = sleep(HEARTBEAT) => return Some(BEAT),
                () = self.stopping.cancelled() => return None,
            };
            match news {
                News::Frames(frames) => self.take(frames),
                News::Ended | News::Gone => return None,
            }
        }
    }

    fn take(&mut self, frames: Vec<Frame>) {
        if frames.last().is_some_and(Frame::is_last) {
            self.listener = None;
        }
        self.ready
            .extend(frames.iter().map(|frame| frame.sse().clone()));
    }
}
