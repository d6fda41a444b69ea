//! The rules of one robots.txt for this service (RFC 9309), parsed by the crate `robotxt`. It was
//! chosen by the tests below: `texting_robots` 0.2 and `robotstxt` 0.3 do not compare escapes as
//! the standard requires, and the latter takes minutes for a pattern of 250,000 wildcards.

use crate::unicode;
use robotxt::Robots;
use std::borrow::Cow;
use url::{Position, Url};

/// The size up to which a file is read; the standard requires at least 500 KiB (2.5).
pub(super) const MAX_BYTES: usize = robotxt::BYTE_LIMIT;
/// Longer addresses are refused where there are rules: each rule takes time per byte.
const MAX_TARGET_BYTES: usize = 8 * 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RobotsRules {
    /// The possible interpretations of the file: one, unless it holds zero bytes.
    interpretations: Vec<Robots>,
    /// The size of the file in bytes, as an estimate of their memory.
    pub(super) bytes: usize,
}

impl RobotsRules {
    /// Parses the groups for `agent`, or else those for all agents.
    pub(super) fn parse(file: &[u8], agent: &str) -> Self {
        let text = decode(file);
        let mut interpretations = vec![parse_interpretation(&text, agent)];
        if text.contains(&0) {
            // A zero byte may end a line, as `robotxt` reads it, or may mean nothing.
            let without: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).collect();
            interpretations.push(parse_interpretation(&without, agent));
        }
        Self {
            interpretations,
            bytes: file.len(),
        }
    }

    /// Whether every interpretation of the file allows `url`.
    pub(super) fn allows(&self, url: &Url) -> bool {
        let mut readings = self
            .interpretations
            .iter()
            .filter(|it| !it.rules().is_empty());
        let target = &url[Position::BeforePath..Position::AfterQuery];
        // `*` and `$` are operators in a rule; a rule for the characters themselves escapes them
        // (2.2.3).
        let escaped = target.replace('*', "%2A").replace('$', "%24");
        readings.all(|robots| {
            target.len() <= MAX_TARGET_BYTES
                && robots.is_allowed(target)
                && robots.is_allowed(&escaped)
        })
    }
}

/// Decodes UTF-16 and UTF-32; other bytes stay, since bad bytes in a rule match escapes in an
/// address. A rule cut by the size limit is dropped, because its beginning would match more.
fn decode(file: &[u8]) -> Cow<'_, [u8]> {
    let Some(mut text) = unicode::decode_wide(file) else {
        return Cow::Borrowed(file);
    };
    if file.len() > MAX_BYTES {
        text.truncate(text.rfind(['\n', '\r']).unwrap_or_default());
    }
    Cow::Owned(text.into_bytes())
}

fn parse_interpretation(text: &[u8], agent: &str) -> Robots {
    let lines = text.split_inclusive(|byte| matches!(byte, b'\n' | b'\r'));
    let named: Vec<u8> = lines.flat_map(without_version).copied().collect();
    Robots::parse(&named, agent)
}

/// Removes the version of a line such as `User-agent: name/1.0`; only the name counts.
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
