//! The three search modes and, in one table, the limits of each.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// How thorough a search is. Each mode has its own queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Uses snippets only and answers in seconds.
    Speed,
    /// Reads the best pages and reranks them.
    #[default]
    Balanced,
    /// Sends several sub-queries and reads every page.
    Deep,
}

/// The limits of a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeLimits {
    /// Sources in the answer, unless the request sets `max_sources`.
    pub max_sources: usize,
    /// Running time of the search, unless the request sets `timeout`.
    pub timeout: Duration,
    /// Pages fetched and read; 0 to use snippets only.
    pub pages: usize,
    /// Whether passages are reranked after retrieval.
    pub rerank: bool,
    /// Upper bound of sub-queries.
    pub sub_queries: usize,
}

impl Mode {
    /// Every mode, most urgent first.
    pub const ALL: [Self; 3] = [Self::Speed, Self::Balanced, Self::Deep];

    /// The limits of this mode.
    #[must_use]
    pub const fn limits(self) -> ModeLimits {
        match self {
            Self::Speed => ModeLimits {
                max_sources: 5,
                timeout: Duration::from_secs(15),
                pages: 0,
                rerank: false,
                sub_queries: 1,
            },
            Self::Balanced => ModeLimits {
                max_sources: 10,
                timeout: Duration::from_secs(45),
                pages: 5,
                rerank: true,
                sub_queries: 2,
            },
            Self::Deep => ModeLimits {
                max_sources: 20,
                timeout: Duration::from_secs(60),
                pages: 50,
                rerank: true,
                sub_queries: 4,
            },
        }
    }

    /// The name used on the wire and in key names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Speed => "speed",
            Self::Balanced => "balanced",
            Self::Deep => "deep",
        }
    }

    /// The mode of a stored search. A direct search has the limits of balanced.
    #[must_use]
    pub fn from_stored(name: &str) -> Option<Self> {
        if name == crate::schema::DIRECT_MODE {
            return Some(Self::Balanced);
        }
        Self::parse(name)
    }

    /// The mode with this wire name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
