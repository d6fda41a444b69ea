//! Converts a pipeline error to the failure that the record stores.

use crate::{pipeline::PipelineError, response::seconds};
use chrono::{SubsecRound, Utc};
use privachat_core::{jobs::JobFailure, schema::time};
use serde_json::{Map, Value};
use std::time::Duration;

pub(super) fn from_pipeline_error(error: &PipelineError, took: Duration) -> JobFailure {
    let mut extra = Map::new();
    extra.insert("execution_time".into(), seconds(took).into());
    extra.insert("warnings".into(), Value::from(error.warnings.clone()));
    extra.insert(
        "completed_at".into(),
        time::format(&Utc::now().trunc_subsecs(6)).into(),
    );
    JobFailure {
        hint: error.hint.clone(),
        extra,
        ..JobFailure::new(error.code, error.message.clone())
    }
}
