//! JSON that others wrote. Valid JSON is read by `serde_json`. What that refuses is read again by a
//! parser that gives up as little as it can: half a surrogate pair or a bad byte costs a character,
//! `NaN` a number, an item that cannot be read itself, and only a text that ends too early or is no
//! JSON at all costs everything.
//!
//! Own code, since no library does the whole of it: `serde_json_lenient` 0.2 takes odd characters
//! but no `NaN`, no number out of range and no byte order mark, and gives all up for one item.

mod lenient;
#[cfg(test)]
mod tests;

use crate::unicode;
use serde_json::Value;

/// Values of one text, counted by the commas between them. Several times what the vectors of a
/// whole batch have; each takes many times the memory of its bytes.
const MOST_VALUES: usize = 1_000_000;

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// All that could be read.
    pub value: Value,
    /// Items of lists that could not, and are left out.
    pub dropped: usize,
}

/// Why nothing was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is something else, or its end is missing.
    #[error("not JSON")]
    NotJson,
    /// It would take too much memory.
    #[error("JSON of more than {MOST_VALUES} values")]
    TooMany,
}

/// The half of a character that one piece of a stream ended with. Servers cut answers between two
/// code units of UTF-16, each half escaped in a JSON text of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Half(Option<u16>);

/// Reads `bytes`: UTF-8, UTF-16 or UTF-32, with a byte order mark or without.
///
/// # Errors
/// When it is no JSON, breaks off or holds too many values.
pub fn read(bytes: &[u8]) -> Result<Parsed, Unreadable> {
    match unicode::decode_wide(bytes) {
        Some(text) => parse(text.as_bytes(), &mut None),
        None => parse(bytes, &mut None),
    }
}

/// Reads one piece of a stream. A string that begins with the second half of a character is joined
/// with `half`, which becomes what a string of this piece ends with.
///
/// # Errors
/// As [`read`].
pub fn read_piece(text: &str, half: &mut Half) -> Result<Value, Unreadable> {
    let mut joined = Some(*half);
    let parsed = parse(text.as_bytes(), &mut joined)?;
    *half = joined.unwrap_or_default();
    Ok(parsed.value)
}

fn parse(bytes: &[u8], half: &mut Option<Half>) -> Result<Parsed, Unreadable> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > MOST_VALUES && bytes.iter().filter(|byte| **byte == b',').count() > MOST_VALUES
    {
        return Err(Unreadable::TooMany);
    }
    match serde_json::from_slice(bytes) {
        Ok(value) => {
            *half = half.map(|_| Half::default());
            Ok(Parsed { value, dropped: 0 })
        }
        Err(_) => lenient::parse(&String::from_utf8_lossy(bytes), half),
    }
}
