//! Reading a job's record without parsing it.

use super::{Jobs, JobsError, error::parse_reply};
use crate::keys;
use bytes::Bytes;
use redis::Value;
use uuid::Uuid;

/// What `finish.lua` writes around the result of a completed job. The version at the end
/// distinguishes these records from those of other writers.
const RESULT_PREFIX: &[u8] = br#"{"status":"completed","result":"#;
const RESULT_SUFFIX: &[u8] = br#","error":null,"version":1}"#;

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobState {
    Pending,
    Processing,
    /// Completed, failed, absent, or in a state of another version.
    Ended,
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record(Bytes);

impl Record {
    /// The result of a completed job; `None` in every other state and for records of other writers.
    #[must_use]
    pub fn result(&self) -> Option<Bytes> {
        let inner = self
            .0
            .strip_prefix(RESULT_PREFIX)?
            .strip_suffix(RESULT_SUFFIX)?;
        Some(self.0.slice_ref(inner))
    }

    /// The whole record, as JSON.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}

/// Parses the field `state` of a control hash.
pub(super) fn parse_state(state: Option<&str>) -> JobState {
    match state {
        Some("pending") => JobState::Pending,
        Some("processing") => JobState::Processing,
        _ => JobState::Ended,
    }
}

impl From<Vec<u8>> for Record {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl Jobs {
    /// The stored [`NewJob::request`](super::NewJob::request); `None` once the job has completed,
    /// or when it does not exist.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn request(&self, id: Uuid) -> Result<Option<Bytes>, JobsError> {
        let mut command = redis::cmd("HGET");
        command.arg(keys::control(id)).arg("request");
        let bytes: Option<Vec<u8>> = self.query(&command).await?;
        Ok(bytes.map(Bytes::from))
    }

    /// The name of the API key that owns a job; `None` when every caller may see it, or when it
    /// does not exist.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn owner(&self, id: Uuid) -> Result<Option<String>, JobsError> {
        let mut command = redis::cmd("HGET");
        command.arg(keys::control(id)).arg("owner");
        self.query(&command).await
    }

    /// The state of a job.
    pub(super) async fn state(&self, id: Uuid) -> Result<JobState, JobsError> {
        let mut command = redis::cmd("HGET");
        command.arg(keys::control(id)).arg("state");
        let state: Option<String> = self.query(&command).await?;
        Ok(parse_state(state.as_deref()))
    }

    /// The record of a job; `None` when it does not exist or has expired.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn record(&self, id: Uuid) -> Result<Option<Record>, JobsError> {
        let mut command = redis::cmd("GET");
        command.arg(keys::record(id));
        let bytes: Option<Vec<u8>> = self.query(&command).await?;
        Ok(bytes.map(Record::from))
    }

    /// As [`Self::record`], on a pooled connection: for bulk reads, which must not delay polls.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn record_pooled(&self, id: Uuid) -> Result<Option<Record>, JobsError> {
        let mut command = redis::cmd("GET");
        command.arg(keys::record(id));
        let bytes: Option<Vec<u8>> = self.query_pooled(&command).await?;
        Ok(bytes.map(Record::from))
    }

    /// As [`Self::record_pooled`], with the result of [`Self::owner`].
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn record_with_owner(
        &self,
        id: Uuid,
    ) -> Result<Option<(Record, Option<String>)>, JobsError> {
        let mut both = redis::pipe();
        // In this order: both expire together, so where the record still exists, its owner did when
        // it was read. Records of the old service have none.
        both.cmd("HGET").arg(keys::control(id)).arg("owner");
        both.cmd("GET").arg(keys::record(id));
        let reply: Value = both.query_async(&mut self.redis.pooled()).await?;
        let (owner, bytes): (Option<String>, Option<Vec<u8>>) = parse_reply(reply)?;
        Ok(bytes.map(|bytes| (Record::from(bytes), owner)))
    }
}
