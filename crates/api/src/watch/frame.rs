//! An event, encoded once for all who listen.

use bytes::{BufMut, Bytes, BytesMut};
use privachat_core::jobs::{Entry, EntryId};

/// An event as it goes over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    id: EntryId,
    /// `id: …\nevent: …\ndata: {…}\n\n`.
    sse: Bytes,
    /// The part of it that is JSON.
    json: Bytes,
    is_last: bool,
}

impl Frame {
    /// `result` is the JSON of the response that a search ended with, when it has ended.
    pub(super) fn new(entry: &Entry, result: Option<&[u8]>) -> Self {
        let Entry { id, kind, data } = entry;
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

    /// Its place in the stream.
    pub(crate) fn id(&self) -> EntryId {
        self.id
    }

    /// As Server-Sent Event.
    pub(crate) fn sse(&self) -> &Bytes {
        &self.sse
    }

    /// As JSON object, with its id.
    pub(crate) fn json(&self) -> &Bytes {
        &self.json
    }

    /// Whether the search has ended with it.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn entry(kind: &str, data: &'static str) -> Entry {
        Entry {
            id: "17-3".parse().unwrap(),
            kind: kind.to_owned(),
            data: Bytes::from_static(data.as_bytes()),
        }
    }

    #[test]
    fn an_event_is_one_block_with_its_id_in_front() {
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
    fn an_event_without_members_is_an_object_still() {
        let frame = Frame::new(&entry("queued", "{}"), None);
        assert_eq!(frame.json(), "{\"id\":\"17-3\"}");
    }
}
