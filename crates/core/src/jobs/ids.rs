//! Reading the entries of lists and sorted sets. Other programs may have written there, so an entry
//! that is not an id is removed and does not fail the call.

use super::{Jobs, JobsError, damage::KeyGroup};
use uuid::Uuid;

/// An entry or a score, as Redis stores it.
pub(super) type RawEntry = Vec<u8>;

/// Parses an id in the form in which the engine writes ids: it cannot remove an entry in any other
/// form.
pub(super) fn parse_id(entry: &[u8]) -> Option<Uuid> {
    let id = Uuid::try_parse_ascii(entry).ok()?;
    (id.as_hyphenated().to_string().as_bytes() == entry).then_some(id)
}

/// Parses a score in milliseconds, clamped to a valid time; zero when it is not a number.
pub(super) fn parse_millis(score: &[u8]) -> u64 {
    let score = str::from_utf8(score).unwrap_or_default();
    let score: f64 = score.parse().unwrap_or_default();
    // NaN becomes zero.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded by `clamp`"
    )]
    let millis = score.clamp(0.0, 9e15) as u64;
    millis
}

/// Decodes text for people; invalid UTF-8 is replaced.
pub(super) fn lossy_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Jobs {
    /// Parses entries of the sorted set `list`; removes from it those that are not ids.
    pub(super) async fn valid_ids(
        &self,
        list: &str,
        entries: &[RawEntry],
    ) -> Result<Vec<Uuid>, JobsError> {
        let mut command = redis::cmd("ZREM");
        command.arg(list);
        let mut ids = Vec::with_capacity(entries.len());
        for entry in entries {
            match parse_id(entry) {
                Some(id) => ids.push(id),
                None => {
                    command.arg(entry);
                }
            }
        }
        if ids.len() < entries.len() {
            self.log_damaged_list(list);
            self.query_in::<u64>(KeyGroup::Queues, &command).await?;
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_written_form_of_an_id_is_accepted() {
        let written = Uuid::from_u128(0xab).to_string();
        assert_eq!(parse_id(written.as_bytes()), Some(Uuid::from_u128(0xab)));
        let upper = written.to_uppercase();
        let simple = written.replace('-', "");
        let braced = format!("{{{written}}}");
        for other in [&upper, &simple, &braced, "", "x", "\u{0}"] {
            assert_eq!(parse_id(other.as_bytes()), None, "{other}");
        }
        assert_eq!(parse_id(&[0xff; 36]), None);
    }

    #[test]
    fn an_invalid_score_is_clamped() {
        for (score, read) in [
            ("1764000000000", 1_764_000_000_000),
            ("1.5", 1),
            ("-inf", 0),
            ("inf", 9_000_000_000_000_000),
            ("1e300", 9_000_000_000_000_000),
            ("nan", 0),
            ("x", 0),
        ] {
            assert_eq!(parse_millis(score.as_bytes()), read, "{score}");
        }
    }
}
