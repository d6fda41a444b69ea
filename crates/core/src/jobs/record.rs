//! Reading a job's record, as cheaply as it can be done.

use super::{Jobs, JobsError, error::read};
use crate::keys;
use bytes::Bytes;
use redis::Value;
use uuid::Uuid;

/// What `finish` puts around the result of a completed job. The version at the end tells these
/// records from those of other writers.
const BEFORE_RESULT: &[u8] = br#"{"status":"completed","result":"#;
const AFTER_RESULT: &[u8] = br#","error":null,"version":1}"#;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Pending,
    Processing,
    Ended,
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record(Bytes);

impl Record {
    /// The result of a completed job, without parsing it; `None` in every other state and for
    /// records of other writers.
    #[must_use]
    pub fn result(&self) -> Option<Bytes> {
        let inner = self
            .0
            .strip_prefix(BEFORE_RESULT)?
            .strip_suffix(AFTER_RESULT)?;
        Some(self.0.slice_ref(inner))
    }

    /// The whole record.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}

/// A job that is not there (any more) has ended.
pub(super) fn stage(state: Option<&str>) -> Stage {
    match state {
        Some("pending") => Stage::Pending,
        Some("processing") => Stage::Processing,
        _ => Stage::Ended,
    }
}

impl From<Vec<u8>> for Record {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl Jobs {
    /// What the submitter of a job sent; `None` once it has completed, or when there is no such job.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn request(&self, id: Uuid) -> Result<Option<Bytes>, JobsError> {
        let mut command = redis::cmd("HGET");
        command.arg(keys::control(id)).arg("request");
        let bytes: Option<Vec<u8>> = self.query(&command).await?;
        Ok(bytes.map(Bytes::from))
    }

    /// Whose job it is: the name of an API key; `None` when it is everybody's, or unknown.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn owner(&self, id: Uuid) -> Result<Option<String>, JobsError> {
        let mut command = redis::cmd("HGET");
        command.arg(keys::control(id)).arg("owner");
        self.query(&command).await
    }

    /// How far a job is.
    pub(super) async fn stage(&self, id: Uuid) -> Result<Stage, JobsError> {
        let mut command = redis::cmd("HGET");
        command.arg(keys::control(id)).arg("state");
        let state: Option<String> = self.query(&command).await?;
        Ok(stage(state.as_deref()))
    }

    /// The record of a job; `None` when there is none (any more).
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn record(&self, id: Uuid) -> Result<Option<Record>, JobsError> {
        let mut command = redis::cmd("GET");
        command.arg(keys::record(id));
        let bytes: Option<Vec<u8>> = self.query(&command).await?;
        Ok(bytes.map(Record::from))
    }

    /// The same on a pooled connection, for those who read many records and are in no hurry: a poll
    /// shall not wait behind them.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn record_in_bulk(&self, id: Uuid) -> Result<Option<Record>, JobsError> {
        let mut command = redis::cmd("GET");
        command.arg(keys::record(id));
        let bytes: Option<Vec<u8>> = self.query_in_bulk(&command).await?;
        Ok(bytes.map(Record::from))
    }

    /// The same together with whose job it is.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn owned_record(
        &self,
        id: Uuid,
    ) -> Result<Option<(Record, Option<String>)>, JobsError> {
        let mut both = redis::pipe();
        // In this order: both expire at one time, so a record that is there after it had its owner.
        // Those of the old service have none.
        both.cmd("HGET").arg(keys::control(id)).arg("owner");
        both.cmd("GET").arg(keys::record(id));
        let reply: Value = both.query_async(&mut self.redis.in_bulk()).await?;
        let (owner, bytes): (Option<String>, Option<Vec<u8>>) = read(reply)?;
        Ok(bytes.map(|bytes| (Record::from(bytes), owner)))
    }
}
