//! The seam to what compares meanings: embeddings or a reranker.

use super::deadline::Deadline;
use async_trait::async_trait;
use privachat_core::schema::Usage;

/// How near texts are to queries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Similarities {
    /// 0–1: one row per query, one column per text.
    pub rows: Vec<Vec<f64>>,
    /// Tokens spent, if the server counts them.
    pub usage: Option<Usage>,
}

/// Compares meanings.
#[async_trait]
pub trait Semantics: Send + Sync {
    /// Whether a score says how far two texts say the same, as of embeddings, and not how well one
    /// answers the other, as of a reranker.
    fn is_mutual(&self) -> bool;

    /// How near each of `texts` is to each of `queries`. Dropping the future ends the request.
    ///
    /// # Errors
    /// When they cannot be compared; then words have to do.
    async fn similarities(
        &self,
        queries: &[&str],
        texts: &[&str],
        deadline: Deadline,
    ) -> Result<Similarities, SemanticsError>;
}

/// Why meanings were not compared. The messages name no internal address and no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SemanticsError {
    /// No answer in time.
    #[error("ranking by meaning did not answer in time")]
    TimedOut,
    /// Connection trouble or a 5xx.
    #[error("ranking by meaning is not available ({reason})")]
    Unavailable {
        /// Such as "HTTP 502".
        reason: String,
    },
    /// A 429.
    #[error("ranking by meaning limits the rate of requests")]
    RateLimited,
    /// A refusal that only the operator can mend.
    #[error("ranking by meaning refuses the request ({reason})")]
    Refused {
        /// Such as "HTTP 401".
        reason: String,
        /// What to set.
        hint: String,
    },
    /// An answer in a form that it should not have.
    #[error("ranking by meaning answered in an unexpected form ({reason})")]
    Malformed {
        /// Such as "fewer vectors than texts".
        reason: String,
    },
}
