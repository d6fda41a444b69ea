//! [`Frame`]: an event, encoded once for all subscribers.

use bytes::{BufMut, Bytes, BytesMut};
use privachat_core::jobs::{EventId, StoredEvent};

/// An encoded event. Clones share the bytes.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    id: EventId,
    /// `id: …\nevent: …\ndata: {…}\n\n`.
    sse: Bytes,
    /// The JSON inside `sse`.
    json: Bytes,
    is_last: bool,
}

impl Frame {
    /// `result` is the JSON of the final response, for the last event.
    pub(super) fn new(entry: &StoredEvent, result: Option<&[u8]>) -> Self {
        let StoredEvent { id, kind, data } = entry;
        let result = result.unwrap_or_default();
        let mut sse = BytesMut::with_capacity(data.len() + result.len() + kind.len() + 96);
        sse.put_slice(format!("id: {id}\nevent: {kind}\ndata: ").as_bytes());
        let start = sse.len();
        sse.put_slice(format!("{{\"id\":\"{id}\"").as_bytes());
        let members = data.strip_prefix(b"{").unwrap_or_default();
        let members = members.strip_suffix(b"}").unwrap_or(members);
        if !members.is_empty() {
            sse.put_u8(b',');
            sse.put_slice(members);
        }
        if !result.is_empty() {
            sse.put_slice(b",\"result\":");
            sse.put_slice(result);
        }
        sse.put_u8(b'}');
        let end = sse.len();
        sse.put_slice(b"\n\n");
        let sse = sse.freeze();
        Self {
            id: *id,
            json: sse.slice(start..end),
            sse,
            is_last: entry.is_last(),
        }
    }

    /// The position in the event stream.
    pub(crate) fn id(&self) -> EventId {
        self.id
    }

    /// The event as an SSE block.
    pub(crate) fn sse(&self) -> &Bytes {
        &self.sse
    }

    /// The event as a JSON object with its `id`.
    pub(crate) fn json(&self) -> &Bytes {
        &self.json
    }

    /// Whether this is the last event of the search.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn entry(kind: &str, data: &'static str) -> StoredEvent {
        StoredEvent {
            id: "17-3".parse().unwrap(),
            kind: kind.to_owned(),
            data: Bytes::from_static(data.as_bytes()),
        }
    }

    #[test]
    fn an_event_is_one_block_that_begins_with_its_id() {
        let frame = Frame::new(&entry("text", r#"{"type":"text","delta":"a\nb"}"#), None);
        assert_eq!(
            frame.sse(),
            "id: 17-3\nevent: text\ndata: {\"id\":\"17-3\",\"type\":\"text\",\"delta\":\"a\\nb\"}\n\n"
        );
        let json: Value = serde_json::from_slice(frame.json()).unwrap();
        assert_eq!(json, json!({"id": "17-3", "type": "text", "delta": "a\nb"}));
        assert!(!frame.is_last());
    }

    #[test]
    fn the_last_event_carries_the_result() {
        let frame = Frame::new(
            &entry("completed", r#"{"type":"completed"}"#),
            Some(b"{\"answer\":1}"),
        );
        let json: Value = serde_json::from_slice(frame.json()).unwrap();
        assert_eq!(
            json,
            json!({"id": "17-3", "type": "completed", "result": {"answer": 1}})
        );
        assert!(frame.is_last());
    }

    #[test]
    fn an_event_without_members_is_a_valid_object() {
        let frame = Frame::new(&entry("queued", "{}"), None);
        assert_eq!(frame.json(), "{\"id\":\"17-3\"}");
    }
}
