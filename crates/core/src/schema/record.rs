//! Reads stored records of searches, also those that the replaced Python service wrote.

use super::{Progress, SearchResponse, Stage, Status};
use crate::{history::Session, mode::Mode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A stored record. Only `status` is always present.
#[derive(Debug, Deserialize)]
pub struct StoredRecord<'a> {
    /// The status of the search; it overrides `status` in the result.
    pub status: Status,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<String>,
    query: Option<String>,
    mode: Option<String>,
    #[serde(default, with = "super::time::optional")]
    created_at: Option<DateTime<Utc>>,
    #[serde(default, with = "super::time::optional")]
    completed_at: Option<DateTime<Utc>>,
    /// When the job engine ended the job. `completed_at`, which the worker writes, takes
    /// precedence.
    #[serde(default, with = "chrono::serde::ts_milliseconds_option")]
    ended_ms: Option<DateTime<Utc>>,
    error_code: Option<String>,
    error_hint: Option<String>,
    #[serde(default)]
    cancelled: bool,
    #[serde(default)]
    attempt: u32,
    progress: Option<Progress>,
    #[serde(default)]
    warnings: Vec<String>,
    execution_time: Option<f64>,
    timings: Option<BTreeMap<Stage, f64>>,
}

/// The members of a result that have a column in the history.
#[derive(Deserialize)]
struct ResultHead {
    query: String,
    #[serde(deserialize_with = "stored_mode")]
    mode: Mode,
    #[serde(with = "super::time")]
    created_at: DateTime<Utc>,
    #[serde(default, with = "super::time::optional")]
    completed_at: Option<DateTime<Utc>>,
}

fn stored_mode<'de, D: Deserializer<'de>>(input: D) -> Result<Mode, D::Error> {
    let name = String::deserialize(input)?;
    Mode::from_stored(&name).ok_or_else(|| D::Error::custom("no search mode"))
}

impl<'a> StoredRecord<'a> {
    /// Parses a record.
    ///
    /// # Errors
    /// When `bytes` are no JSON of this form.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The response for this record, as JSON.
    ///
    /// # Errors
    /// When the stored result is no JSON.
    pub fn to_response(&self, id: Uuid, now: DateTime<Utc>) -> Result<Value, serde_json::Error> {
        if let Some(result) = self.result {
            let mut response: Value = serde_json::from_str(result.get())?;
            // The old service left `status` null, which made its polling clients loop forever.
            if let Some(status) = response.get_mut("status") {
                *status = self.status.as_str().into();
            }
            return Ok(response);
        }
        serde_json::to_value(self.response_without_result(id, now))
    }

    fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.completed_at.or(self.ended_ms)
    }

    fn response_without_result(&self, id: Uuid, now: DateTime<Utc>) -> SearchResponse {
        let query = self.query.clone().unwrap_or_default();
        let created_at = self.created_at.unwrap_or(now);
        let mode = self.mode.as_deref().unwrap_or(Mode::default().as_str());
        SearchResponse {
            status: self.status,
            error: self.error.clone(),
            error_code: self.error_code.clone(),
            error_hint: self.error_hint.clone(),
            cancelled: self.cancelled,
            attempt: self.attempt,
            progress: self.progress.clone(),
            warnings: self.warnings.clone(),
            execution_time: self.execution_time,
            timings: self.timings.clone(),
            completed_at: self.ended_at(),
            ..SearchResponse::pending(id, query, mode, created_at)
        }
    }

    /// The session of an ended search for the history; `None` while it has not ended.
    ///
    /// # Errors
    /// When the stored result lacks a member that the history needs.
    pub fn to_session(
        &self,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<Session>, serde_json::Error> {
        if !self.status.is_terminal() {
            return Ok(None);
        }
        let head = match self.result {
            Some(result) => serde_json::from_str(result.get())?,
            None => ResultHead {
                query: self.query.clone().unwrap_or_default(),
                mode: self
                    .mode
                    .as_deref()
                    .and_then(Mode::from_stored)
                    .unwrap_or_default(),
                created_at: self.created_at.unwrap_or(now),
                completed_at: self.ended_at(),
            },
        };
        let result = match self.result {
            Some(result) => result.to_owned(),
            None => serde_json::value::to_raw_value(&self.response_without_result(id, now))?,
        };
        Ok(Some(Session {
            id,
            owner: None,
            query: head.query,
            mode: head.mode,
            status: self.status,
            result: Some(result),
            error: self.error.clone(),
            error_code: self.error_code.clone(),
            created_at: head.created_at,
            completed_at: head.completed_at.unwrap_or(now),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::nil();

    #[test]
    fn a_completed_record_of_the_old_service_gets_its_status() {
        let result = include_str!("../../../../tests/fixtures/old-service/sync-post.json");
        let record = format!(r#"{{"status": "completed", "result": {result}, "error": null}}"#);
        let response = StoredRecord::parse(record.as_bytes())
            .unwrap()
            .to_response(ID, Utc::now())
            .unwrap();
        assert_eq!(response["status"], "completed");
        assert_eq!(response["sources"].as_array().unwrap().len(), 5);
    }

    #[test]
    fn a_pending_record_without_result_yields_every_member() {
        let record = br#"{"status":"pending","result":null,"error":null}"#;
        let response = StoredRecord::parse(record)
            .unwrap()
            .to_response(ID, Utc::now())
            .unwrap();
        assert_eq!(response["status"], "pending");
        assert!(response["answer"].is_null());
    }

    #[test]
    fn a_failed_record_becomes_a_session_with_its_error() {
        let record = br#"{"status":"failed","result":null,"error":"no","query":"q","mode":"deep","created_at":"2026-11-23T14:36:40.942499+00:00","error_code":"no_sources","attempt":2}"#;
        let session = StoredRecord::parse(record)
            .unwrap()
            .to_session(ID, Utc::now())
            .unwrap()
            .unwrap();
        assert_eq!((session.query.as_str(), session.mode), ("q", Mode::Deep));
        assert_eq!(session.error_code.as_deref(), Some("no_sources"));
    }

    #[test]
    fn the_end_time_is_that_of_the_worker_or_else_of_the_engine() {
        let ended = |members: &str| {
            let record = format!(
                r#"{{"status":"failed","result":null,"error":"no","created_at":"2026-11-23T14:36:40+00:00"{members}}}"#
            );
            let session = StoredRecord::parse(record.as_bytes())
                .unwrap()
                .to_session(ID, DateTime::UNIX_EPOCH)
                .unwrap()
                .unwrap();
            session.completed_at.to_rfc3339()
        };
        assert_eq!(
            ended(r#","ended_ms":1795444602345"#),
            "2026-11-23T14:36:42.345+00:00"
        );
        assert_eq!(
            ended(r#","completed_at":"2026-11-23T14:36:42+00:00","ended_ms":1795444602345"#),
            "2026-11-23T14:36:42+00:00"
        );
        assert_eq!(ended(""), "1970-01-01T00:00:00+00:00");
    }

    #[test]
    fn a_direct_search_keeps_its_mode_name_and_is_stored_as_balanced() {
        let record = br#"{"status":"failed","result":null,"error":"no","query":"q","mode":"perplexity","created_at":"2026-11-23T14:36:40.942499+00:00"}"#;
        let stored = StoredRecord::parse(record).unwrap();
        let response = stored.to_response(ID, Utc::now()).unwrap();
        assert_eq!(response["mode"], "perplexity");
        let session = stored.to_session(ID, Utc::now()).unwrap().unwrap();
        assert_eq!(session.mode, Mode::Balanced);
        let record = format!(r#"{{"status":"completed","result":{response},"error":null}}"#);
        let stored = StoredRecord::parse(record.as_bytes()).unwrap();
        let session = stored.to_session(ID, Utc::now()).unwrap().unwrap();
        assert_eq!(session.mode, Mode::Balanced);
    }

    #[test]
    fn a_running_search_has_no_session() {
        let record = br#"{"status":"processing","result":null,"error":null}"#;
        assert!(
            StoredRecord::parse(record)
                .unwrap()
                .to_session(ID, Utc::now())
                .unwrap()
                .is_none()
        );
    }
}
