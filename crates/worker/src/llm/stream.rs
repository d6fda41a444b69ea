//! Reads a response body: a stream of events, or one JSON object from servers that do not stream.

use super::{completion::CompletionBuilder, error::CompletionError, sse::SseParser};
use crate::{
    pipeline::{Deadline, ModelError},
    upstream::{MAX_BODY_BYTES, UpstreamError},
};
use reqwest::Response;
use std::time::Duration;

/// Far above `MAX_TEXT_BYTES`: each token is wrapped in JSON.
const MAX_STREAM_BYTES: usize = 64_000_000;
/// How long to wait for token counts after the answer is complete.
const USAGE_GRACE: Duration = Duration::from_secs(2);

/// The time limits of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamDeadlines {
    /// When the whole request must end.
    pub(super) deadline: Deadline,
    /// When the first text or reasoning must have arrived.
    pub(super) first_text_by: Deadline,
    /// The longest pause after that.
    pub(super) stall_timeout: Duration,
}

impl StreamDeadlines {
    fn next_deadline(&self, answer: &CompletionBuilder<'_>) -> Deadline {
        if answer.has_finished() {
            self.deadline.at_most(USAGE_GRACE.min(self.stall_timeout))
        } else if answer.has_started() {
            self.deadline.at_most(self.stall_timeout)
        } else {
            self.first_text_by
        }
    }
}

/// Passes all of `response` to `answer`.
pub(super) async fn read_stream(
    mut response: Response,
    patience: StreamDeadlines,
    answer: &mut CompletionBuilder<'_>,
) -> Result<(), CompletionError> {
    let mut body = BodyReader::Unknown(Vec::new());
    let mut total = 0;
    while !answer.is_over() {
        let Some(received) = patience.next_deadline(answer).limit(response.chunk()).await else {
            if answer.has_finished() {
                return Ok(());
            }
            let reason = if patience.deadline.has_passed() {
                "out of time"
            } else {
                "the stream stalled"
            };
            return Err(answer.stalled_stream(reason));
        };
        let piece = match received {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(_) if answer.has_finished() => return Ok(()),
            Err(error) => return Err(answer.broken_stream(&UpstreamError::from(error).to_string())),
        };
        total += piece.len();
        if total > MAX_STREAM_BYTES {
            return Err(answer.broken_stream("the stream is too large"));
        }
        body.feed(&piece, answer)?;
    }
    body.finish(answer)
}

/// The kind of body, recognised by its first character, since content types are unreliable.
enum BodyReader {
    Unknown(Vec<u8>),
    Events(SseParser),
    Json(Vec<u8>),
}

impl BodyReader {
    fn feed(
        &mut self,
        piece: &[u8],
        answer: &mut CompletionBuilder<'_>,
    ) -> Result<(), CompletionError> {
        match self {
            Self::Unknown(head) => {
                head.extend_from_slice(piece);
                let head = std::mem::take(head);
                match first_text_byte(&head) {
                    None => {}
                    Some(b'{') => *self = Self::Json(head),
                    Some(b'<') => return Err(web_page_error()),
                    Some(_) => {
                        *self = Self::Events(SseParser::default());
                        return self.feed(&head, answer);
                    }
                }
                Ok(())
            }
            Self::Events(parser) => {
                let mut events = Vec::new();
                let fed = parser.feed(piece, &mut events);
                for event in &events {
                    answer.add_event(event)?;
                    if answer.is_over() {
                        return Ok(());
                    }
                }
                fed.map_err(|error| answer.broken_stream(&error.to_string()))
            }
            Self::Json(bytes) => {
                if bytes.len() + piece.len() > MAX_BODY_BYTES {
                    return Err(UpstreamError::TooLarge.into());
                }
                bytes.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    fn finish(self, answer: &mut CompletionBuilder<'_>) -> Result<(), CompletionError> {
        match self {
            Self::Unknown(_) => Ok(()),
            Self::Json(bytes) => answer.add_body(&bytes),
            Self::Events(parser) => match parser.finish() {
                Some(event) if !answer.is_over() => answer.add_last_event(&event),
                _ => Ok(()),
            },
        }
    }
}

/// The first byte of the text after white space and byte order marks, in any encoding.
fn first_text_byte(head: &[u8]) -> Option<&u8> {
    head.iter().find(|byte| {
        !byte.is_ascii_whitespace() && !matches!(byte, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff)
    })
}

fn web_page_error() -> CompletionError {
    CompletionError {
        error: ModelError::Refused {
            reason: "a web page instead of an answer".to_owned(),
            hint: "set LLM_BASE_URL to the address of the API, which usually ends in /v1"
                .to_owned(),
        },
        fallback_helps: false,
        tokens_exhausted: false,
    }
}
