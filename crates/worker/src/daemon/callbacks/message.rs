//! The message of a callback, in the form of Standard Webhooks.

use bytes::Bytes;
use chrono::Utc;
use privachat_core::schema::{Status, record::StoredRecord, time};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

/// A message. Every call for a search sends the same one.
#[derive(Debug)]
pub(super) struct WebhookMessage {
    /// Lets receivers drop duplicates.
    pub(super) id: String,
    pub(super) body: Bytes,
}

#[derive(Serialize)]
struct WebhookBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Option<&'a RawValue>,
}

impl WebhookMessage {
    /// Builds the message from a record; `None` while the search runs.
    ///
    /// # Errors
    /// When `record` is not a valid record.
    pub(super) fn from_record(id: Uuid, record: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        let Some(session) = StoredRecord::parse(record)?.to_session(id, Utc::now())? else {
            return Ok(None);
        };
        let kind = match session.status {
            Status::Completed => "search.completed",
            Status::Failed | Status::Pending | Status::Processing => "search.failed",
        };
        let body = serde_json::to_vec(&WebhookBody {
            kind,
            timestamp: time::format(&session.completed_at),
            data: session.result.as_deref(),
        })?;
        Ok(Some(Self {
            id: id.to_string(),
            body: body.into(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn body(record: &str) -> Option<Value> {
        let message = WebhookMessage::from_record(Uuid::nil(), record.as_bytes()).unwrap()?;
        Some(serde_json::from_slice(&message.body).unwrap())
    }

    #[test]
    fn the_message_of_a_completed_search_contains_the_stored_result_unchanged() {
        let result = r#"{"session_id":"00000000-0000-0000-0000-000000000000","status":"completed","query":"q","mode":"speed","created_at":"2026-11-24T06:03:13.499586+00:00","completed_at":"2026-11-24T06:03:14+00:00","more":1.50}"#;
        let record =
            format!(r#"{{"status":"completed","result":{result},"error":null,"version":1}}"#);
        let message = WebhookMessage::from_record(Uuid::nil(), record.as_bytes())
            .unwrap()
            .unwrap();
        let text = std::str::from_utf8(&message.body).unwrap();
        assert!(
            text.starts_with(r#"{"type":"search.completed","timestamp":"2026-11-24T06:03:14"#),
            "{text}"
        );
        assert!(text.ends_with(&format!(r#""data":{result}}}"#)), "{text}");
        assert!(!message.id.contains('.'));
    }

    #[test]
    fn the_message_of_a_failed_search_contains_its_status_and_error_code() {
        let record = r#"{"status":"failed","result":null,"error":"no","session_id":"x","query":"q","mode":"deep","created_at":"2026-11-24T06:03:13.499586+00:00","attempt":2,"error_code":"no_sources","error_hint":null,"cancelled":false,"version":1}"#;
        let body = body(record).unwrap();
        assert_eq!(body["type"], "search.failed");
        assert_eq!(body["data"]["error_code"], "no_sources");
        assert_eq!(body["data"]["status"], "failed");
    }

    #[test]
    fn a_running_search_has_no_message() {
        let record =
            r#"{"status":"processing","result":null,"error":null,"attempt":1,"version":1}"#;
        assert_eq!(body(record), None);
    }
}
