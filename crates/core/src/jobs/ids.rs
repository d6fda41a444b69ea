//! Reading what stands in lists. Anybody may have written there: one entry that is no id costs
//! itself, never the page that it stands on.

use super::{Jobs, JobsError, damage::Scope};
use uuid::Uuid;

/// A text as Redis stores it.
pub(super) type Bytes = Vec<u8>;

/// The id that an entry is, in the form in which the engine writes ids; only that form can be taken
/// out again by it.
pub(super) fn id(entry: &[u8]) -> Option<Uuid> {
    let id = Uuid::try_parse_ascii(entry).ok()?;
    (id.as_hyphenated().to_string().as_bytes() == entry).then_some(id)
}

/// A number of milliseconds, such as the score of an entry; bounded where it is none.
pub(super) fn millis(score: &[u8]) -> u64 {
    let score = str::from_utf8(score).unwrap_or_default();
    let score: f64 = score.parse().unwrap_or_default();
    // Saturates, and is zero for what is no number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded by `clamp`"
    )]
    let millis = score.clamp(0.0, 9e15) as u64;
    millis
}

/// What a person reads.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Jobs {
    /// The ids among the entries of a list. The other entries are taken out of it.
    pub(super) async fn ids_of(
        &self,
        list: &str,
        entries: &[Bytes],
    ) -> Result<Vec<Uuid>, JobsError> {
        let mut command = redis::cmd("ZREM");
        command.arg(list);
        let mut ids = Vec::with_capacity(entries.len());
        for entry in entries {
            match id(entry) {
                Some(id) => ids.push(id),
                None => {
                    command.arg(entry);
                }
            }
        }
        if ids.len() < entries.len() {
            self.name_list(list);
            self.query_in::<u64>(Scope::Queues, &command).await?;
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_engine_writes_is_an_id() {
        let written = Uuid::from_u128(0xab).to_string();
        assert_eq!(id(written.as_bytes()), Some(Uuid::from_u128(0xab)));
        let upper = written.to_uppercase();
        let simple = written.replace('-', "");
        let braced = format!("{{{written}}}");
        for other in [&upper, &simple, &braced, "", "x", "\u{0}"] {
            assert_eq!(id(other.as_bytes()), None, "{other}");
        }
        assert_eq!(id(&[0xff; 36]), None);
    }

    #[test]
    fn a_score_that_is_no_time_is_bounded() {
        for (score, read) in [
            ("1764000000000", 1_764_000_000_000),
            ("1.5", 1),
            ("-inf", 0),
            ("inf", 9_000_000_000_000_000),
            ("1e300", 9_000_000_000_000_000),
            ("nan", 0),
            ("x", 0),
        ] {
            assert_eq!(millis(score.as_bytes()), read, "{score}");
        }
    }
}
