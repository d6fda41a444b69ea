//! The check of the similarity server for `check-config`.

use super::{
    SimilarityClient, SimilarityConfig,
    request::{EMBEDDING, RERANK},
};
use crate::{
    pipeline::{Deadline, Semantics as _, SemanticsError},
    upstream::ProbeError,
};

const QUESTION: &str = "How warm does the sea get in summer?";
const RELATED: &str = "In July the water of the sea is about 20 degrees.";
const UNRELATED: &str = "The invoice has to be paid within thirty days.";

impl SimilarityClient {
    /// Compares a question with a sentence that answers it and with one that does not.
    ///
    /// # Errors
    /// When the server does not respond, refuses, or scores the wrong sentence higher.
    pub async fn probe(&self, deadline: Deadline) -> Result<String, ProbeError> {
        let (server, names) = match &self.settings {
            SimilarityConfig::Embeddings(server) => (server, &EMBEDDING),
            SimilarityConfig::Rerank(server) => (server, &RERANK),
        };
        let found = self
            .similarities(&[QUESTION], &[RELATED, UNRELATED], deadline)
            .await;
        let found = found.map_err(|error| probe_error(&error, names.base_url))?;
        match found.rows.first().map(Vec::as_slice) {
            Some([near, far]) if near > far => Ok(format!(
                "{} ranks by meaning (scores {near:.2} and {far:.2})",
                server.model
            )),
            _ => Err(ProbeError {
                problem: format!(
                    "{:?} scores an unrelated sentence as high as the answer to a question",
                    server.model
                ),
                hint: Some("set another model: ranking by this one makes answers worse".to_owned()),
            }),
        }
    }
}

fn probe_error(error: &SemanticsError, base_url: &str) -> ProbeError {
    let hint = match error {
        SemanticsError::TimedOut | SemanticsError::Unavailable { .. } => {
            Some(format!("check {base_url} and that the server is running"))
        }
        SemanticsError::Refused { hint, .. } => Some(hint.clone()),
        SemanticsError::Malformed { .. } => Some(format!(
            "check that {base_url} is the address of a server of this kind"
        )),
        SemanticsError::RateLimited => Some("try again later, or raise the limit".to_owned()),
    };
    ProbeError {
        problem: error.to_string(),
        hint,
    }
}
