//! The rules of one robots.txt that concern us (RFC 9309), as the crate `robotxt` reads them. It was
//! chosen by the cases below: `texting_robots` 0.2 and `robotstxt` 0.3 do not compare escapes as the
//! standard says, and the latter takes minutes for a pattern of 250,000 wildcards.

use crate::unicode;
use robotxt::Robots;
use std::borrow::Cow;
use url::{Position, Url};

/// As much of a file is read; the standard wants at least 500 KiB (2.5).
pub(super) const MAX_BYTES: usize = robotxt::BYTE_LIMIT;
/// Longer addresses than this are not matched against rules but refused: each rule costs time for
/// each byte.
const LONGEST_TARGET: usize = 8 * 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// What the file can mean: one reading unless it holds zero bytes.
    readings: Vec<Robots>,
    /// What keeping them costs, more or less.
    pub(super) bytes: usize,
}

impl Rules {
    /// The groups that name `agent`, or else those for everyone.
    pub(super) fn parse(file: &[u8], agent: &str) -> Self {
        let text = decoded(file);
        let mut readings = vec![reading(&text, agent)];
        if text.contains(&0) {
            // A zero may stand for the end of a line, as `robotxt` has it, or for nothing.
            let without: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).collect();
            readings.push(reading(&without, agent));
        }
        Self {
            readings,
            bytes: file.len(),
        }
    }

    /// Whether every reading of the file allows `url`.
    pub(super) fn allow(&self, url: &Url) -> bool {
        let mut readings = self.readings.iter().filter(|it| !it.rules().is_empty());
        let target = &url[Position::BeforePath..Position::AfterQuery];
        // In a rule these two have a meaning, and a rule for the characters escapes them (2.2.3).
        let escaped = target.replace('*', "%2A").replace('$', "%24");
        readings.all(|robots| {
            target.len() <= LONGEST_TARGET
                && robots.is_allowed(target)
                && robots.is_allowed(&escaped)
        })
    }
}

/// UTF-8, or what is meant to be: odd bytes in a rule are escapes in an address. A rule that the
/// limit cuts is left out, as cut it would say something else.
fn decoded(file: &[u8]) -> Cow<'_, [u8]> {
    let Some(mut text) = unicode::decode_wide(file) else {
        return Cow::Borrowed(file);
    };
    if file.len() > MAX_BYTES {
        text.truncate(text.rfind(['\n', '\r']).unwrap_or_default());
    }
    Cow::Owned(text.into_bytes())
}

fn reading(text: &[u8], agent: &str) -> Robots {
    let lines = text.split_inclusive(|byte| matches!(byte, b'\n' | b'\r'));
    let named: Vec<u8> = lines.flat_map(without_version).copied().collect();
    Robots::parse(&named, agent)
}

/// Sites write `User-agent: name/1.0`, too; only the name counts.
fn without_version(line: &[u8]) -> impl Iterator<Item = &u8> {
    let trimmed = line.trim_ascii_start();
    let is_agent = trimmed
        .get(..4)
        .is_some_and(|key| key.eq_ignore_ascii_case(b"user"));
    let version = line.iter().position(|byte| *byte == b'/');
    let cut = version.filter(|_| is_agent).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'));
    let end = end.map_or(0, |last| last + 1);
    line.iter()
        .enumerate()
        .filter(move |(at, _)| *at < cut || *at >= end)
        .map(|(_, byte)| byte)
}

#[cfg(test)]
mod tests;
