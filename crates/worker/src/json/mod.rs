//! Parses JSON of untrusted origin. `serde_json` reads valid JSON; a lenient parser reads the rest
//! and loses as little as possible: an unpaired surrogate or a bad byte costs one character, `NaN`
//! one number, a malformed item only itself. Text that ends too early or is not JSON is an error.
//!
//! No library does all of this: `serde_json_lenient` 0.2 accepts odd characters, but no `NaN`, no
//! number out of range and no byte order mark, and rejects everything for one bad item.

mod lenient;
#[cfg(test)]
mod tests;

use crate::unicode;
use serde_json::Value;

/// The limit of values in one text, counted by commas: several times what a full batch of vectors
/// has. Each value takes many times the memory of its bytes.
const MAX_VALUES: usize = 1_000_000;

#[derive(Debug, Clone, PartialEq)]
pub struct ParsedJson {
    /// All values that could be read.
    pub value: Value,
    /// The number of malformed list items that were left out.
    pub dropped: usize,
}

/// Why a text was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON, or ends too early.
    #[error("not JSON")]
    NotJson,
    /// It has too many values, which would take too much memory.
    #[error("JSON of more than {MAX_VALUES} values")]
    TooManyValues,
}

/// The first half of a surrogate pair at the end of a chunk. Servers split text between two UTF-16
/// code units, each escaped in a JSON text of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PendingSurrogate(Option<u16>);

/// Parses `bytes`: UTF-8, UTF-16 or UTF-32, with or without a byte order mark.
///
/// # Errors
/// [`JsonError`] when the text is not JSON, ends too early or holds too many values.
pub fn read(bytes: &[u8]) -> Result<ParsedJson, JsonError> {
    match unicode::decode_wide(bytes) {
        Some(text) => parse_utf8(text.as_bytes(), &mut None),
        None => parse_utf8(bytes, &mut None),
    }
}

/// Parses one chunk of a stream. A string that begins with the second half of a surrogate pair is
/// joined with `half`; `half` becomes the one that this chunk ends with.
///
/// # Errors
/// [`JsonError`], as for [`read`].
pub fn read_piece(text: &str, half: &mut PendingSurrogate) -> Result<Value, JsonError> {
    let mut joined = Some(*half);
    let parsed = parse_utf8(text.as_bytes(), &mut joined)?;
    *half = joined.unwrap_or_default();
    Ok(parsed.value)
}

fn parse_utf8(bytes: &[u8], half: &mut Option<PendingSurrogate>) -> Result<ParsedJson, JsonError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > MAX_VALUES && bytes.iter().filter(|byte| **byte == b',').count() > MAX_VALUES {
        return Err(JsonError::TooManyValues);
    }
    match serde_json::from_slice(bytes) {
        Ok(value) => {
            *half = half.map(|_| PendingSurrogate::default());
            Ok(ParsedJson { value, dropped: 0 })
        }
        Err(_) => lenient::parse(&String::from_utf8_lossy(bytes), half),
    }
}
