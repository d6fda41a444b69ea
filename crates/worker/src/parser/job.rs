//! Jobs and results of parser processes, and their form on the pipes.

use crate::pipeline::{Document, FetchError};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, ffi::OsStr, path::Path};
use url::Url;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// HTML, by the rules of the HTML standard.
    Html,
    /// Markdown, as GitHub renders it.
    Markdown,
    /// Plain text.
    Text,
    /// PDF.
    Pdf,
}

impl Format {
    /// The format of a file by its name; `None` when it is not supported.
    #[must_use]
    pub fn from_path(path: &Path) -> Option<Self> {
        let Some(extension) = path.extension().and_then(OsStr::to_str) else {
            return (path.file_name()? == "README").then_some(Self::Text);
        };
        match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "md" | "markdown" => Some(Self::Markdown),
            "txt" | "text" | "rst" => Some(Self::Text),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// Where a document comes from, which decides how much of its text is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A page of the web. Bot checks, cookie walls and error pages give no content, and the text is
    /// limited to what one search can rank.
    Page {
        /// The address after redirects.
        url: Url,
        /// Whether it differs from the requested address.
        was_redirected: bool,
    },
    /// A file of the corpus or of the `read` command.
    File,
}

/// One document to parse.
#[derive(Debug, Clone)]
pub struct ParseJob {
    /// The format. Bytes that start with the magic number of PDF are always parsed as PDF.
    pub format: Format,
    /// The `Content-Type` of the response, for its charset.
    pub content_type: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// The document.
    pub bytes: Vec<u8>,
}

/// The result of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedDocument {
    /// The content.
    pub document: Document,
    /// The canonical URL that the page declares, when it is on the same site.
    pub canonical: Option<Url>,
}

/// Why there is no content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The document has no text, or is a page that is refused, such as a bot check.
    #[error("{0}")]
    NoContent(Cow<'static, str>),
    /// The document was not parsed by its deadline.
    #[error("took too long to parse")]
    TimedOut,
    /// The parser crashed or reached a limit of memory or processor time.
    #[error("a page that cannot be parsed")]
    Crashed,
    /// No parser process could be started.
    #[error("the parser cannot be started")]
    Unavailable,
}

impl From<ParseError> for FetchError {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::NoContent(reason) => Self::NoContent(reason),
            ParseError::TimedOut => Self::TimedOut,
            ParseError::Crashed => Self::NoContent("a page that cannot be parsed".into()),
            ParseError::Unavailable => Self::NoContent("the parser cannot be started".into()),
        }
    }
}

/// A job on the pipe, without its bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JobHeader {
    format: Format,
    content_type: Option<String>,
    page: Option<(String, bool)>,
}

impl JobHeader {
    pub(super) fn from_job(job: &ParseJob) -> Self {
        Self {
            format: job.format,
            content_type: job.content_type.clone(),
            page: match &job.origin {
                Origin::Page {
                    url,
                    was_redirected,
                } => Some((url.to_string(), *was_redirected)),
                Origin::File => None,
            },
        }
    }

    /// The job. `None` when the address is invalid, which the worker never sends.
    pub(super) fn into_job(self, bytes: Vec<u8>) -> Option<ParseJob> {
        let origin = match self.page {
            None => Origin::File,
            Some((url, was_redirected)) => Origin::Page {
                url: Url::parse(&url).ok()?,
                was_redirected,
            },
        };
        Some(ParseJob {
            format: self.format,
            content_type: self.content_type,
            origin,
            bytes,
        })
    }
}

/// A result on the pipe: the content and the canonical URL, or why there is no content.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ParseResult {
    Content(Document, Option<String>),
    Nothing(String),
}

impl ParseResult {
    pub(super) fn from_outcome(outcome: Result<ParsedDocument, ParseError>) -> Self {
        match outcome {
            Ok(parsed) => Self::Content(parsed.document, parsed.canonical.map(String::from)),
            Err(reason) => Self::Nothing(reason.to_string()),
        }
    }

    pub(super) fn into_outcome(self) -> Result<ParsedDocument, ParseError> {
        match self {
            Self::Content(document, canonical) => Ok(ParsedDocument {
                document,
                canonical: canonical.and_then(|url| Url::parse(&url).ok()),
            }),
            Self::Nothing(reason) => Err(ParseError::NoContent(reason.into())),
        }
    }
}
