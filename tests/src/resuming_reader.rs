//! Reads the events of a search as clients do: over one connection after the other, each of which
//! may be cut at any byte.

use futures_util::StreamExt;
use privachat_core::jobs::EventId;

use crate::event_stream::{StreamEvent, parse_event};
use crate::{Client, wait::Polling};
use std::time::Duration;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// As HTTP demands.
    Complete,
    /// Early, by this reader or by the server, or without any answer.
    Cut,
    /// The server answered that everything was received before.
    NothingLeft,
}

/// What has been received of one search.
#[derive(Debug, Default)]
pub struct ResumingReader {
    /// The bytes of the events that arrived whole.
    pub whole: Vec<u8>,
    last: String,
    is_over: bool,
    /// Connections so far.
    pub connections: usize,
}

impl ResumingReader {
    /// Whether the last event is there.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// All received events.
    pub fn events(&self) -> Vec<StreamEvent> {
        let text = std::str::from_utf8(&self.whole).expect("UTF-8");
        text.split_terminator("\n\n")
            .filter_map(parse_event)
            .collect()
    }

    /// Reads on after the last whole event and cuts the connection after `most` bytes of the body;
    /// incomplete events are discarded.
    pub async fn read(&mut self, client: &Client, id: &str, most: usize) -> ConnectionEnd {
        self.connections += 1;
        let Ok(response) = client.events_request(id, &self.last).send().await else {
            return ConnectionEnd::Cut;
        };
        match response.status().as_u16() {
            200 => {}
            204 => return ConnectionEnd::NothingLeft,
            502 | 503 => return ConnectionEnd::Cut,
            status => panic!("the events are answered with {status}"),
        }
        let mut chunks = response.bytes_stream();
        let mut received = Vec::new();
        let mut ended = ConnectionEnd::Cut;
        while received.len() < most {
            match chunks.next().await {
                Some(Ok(chunk)) => received.extend_from_slice(&chunk),
                Some(Err(_cut)) => break,
                None => {
                    ended = ConnectionEnd::Complete;
                    break;
                }
            }
        }
        received.truncate(most);
        self.add_whole_events(&received);
        ended
    }

    /// Reads from these in turn, as a client behind a balancer does, until the last event.
    pub async fn finish(&mut self, from: &[&Client], id: &str) {
        let polling = Polling::new("the last event arrives", Duration::from_secs(60));
        for client in from.iter().cycle() {
            self.read(client, id, usize::MAX).await;
            if self.is_over {
                return;
            }
            polling.pause().await;
        }
    }

    fn add_whole_events(&mut self, received: &[u8]) {
        let mut rest = received;
        while let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
            let (block, behind) = rest.split_at(end + 2);
            rest = behind;
            let line = |name: &[u8]| {
                let mut lines = block.split(|byte| *byte == b'\n');
                lines.find_map(|line| line.strip_prefix(name))
            };
            let Some(id) = line(b"id: ") else { continue };
            self.last = String::from_utf8(id.to_vec()).expect("an id");
            self.is_over = matches!(line(b"event: "), Some(b"completed" | b"failed"));
            // Comments and `retry:` precede the event.
            let start = block.windows(4).position(|four| four == b"id: ");
            self.whole
                .extend_from_slice(&block[start.expect("an id")..]);
        }
    }
}

/// Ids increase, the first event is first, and the last event comes once, at the end.
pub fn assert_whole(events: &[StreamEvent]) {
    let ids: Vec<EventId> = events
        .iter()
        .map(|event| event.id.parse().expect("an id"))
        .collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    assert_eq!(events[0].kind, "queued");
    let ends = events
        .iter()
        .map(|event| matches!(event.kind.as_str(), "completed" | "failed"));
    let ends: Vec<bool> = ends.collect();
    assert_eq!(ends.last(), Some(&true), "it ends with the last event");
    assert_eq!(ends.iter().filter(|is_end| **is_end).count(), 1);
}
