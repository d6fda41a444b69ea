//! The interface to embeddings and rerankers, which compare texts by meaning.

use super::deadline::Deadline;
use async_trait::async_trait;
use privachat_core::schema::Usage;

/// How similar texts are to queries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Similarities {
    /// 0–1: one row per query, one column per text.
    pub rows: Vec<Vec<f64>>,
    /// Tokens spent, if the server counts them.
    pub usage: Option<Usage>,
}

#[async_trait]
pub trait Semantics: Send + Sync {
    /// True for embeddings, which score how similar two texts are; false for rerankers, which score
    /// how well a text answers a query.
    fn is_mutual(&self) -> bool;

    /// Compares each of `texts` to each of `queries`. Dropping the future ends the request.
    ///
    /// # Errors
    /// [`SemanticsError`] when the texts cannot be compared; callers then compare words.
    async fn similarities(
        &self,
        queries: &[&str],
        texts: &[&str],
        deadline: Deadline,
    ) -> Result<Similarities, SemanticsError>;
}

/// Why texts were not compared. The messages contain no internal address and no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SemanticsError {
    #[error("ranking by meaning did not answer in time")]
    TimedOut,
    /// A connection error or a 5xx.
    #[error("ranking by meaning is not available ({reason})")]
    Unavailable {
        /// Such as "HTTP 502".
        reason: String,
    },
    /// A 429.
    #[error("ranking by meaning limits the rate of requests")]
    RateLimited,
    /// An error that only the operator can fix.
    #[error("ranking by meaning refuses the request ({reason})")]
    Refused {
        /// Such as "HTTP 401".
        reason: String,
        /// What to set.
        hint: String,
    },
    /// A response in an unexpected form.
    #[error("ranking by meaning answered in an unexpected form ({reason})")]
    Malformed {
        /// Such as "fewer vectors than texts".
        reason: String,
    },
}
