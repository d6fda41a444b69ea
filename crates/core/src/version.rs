//! What this is a build of.

/// The version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What git said of the sources when this was built, or `unknown`; `build.rs` asks it.
const BUILT_FROM: &str = env!("BUILT_FROM");

/// The variable that a container image names the revision in. Not a setting: whoever makes the image says it.
const REVISION: &str = "PRIVACHAT_REVISION";

/// Characters of a revision at most.
const MAX_CHARS: usize = 64;

/// The revision of the sources: what the image says, else what git said, else `unknown`.
#[must_use]
pub fn revision() -> String {
    told(std::env::var(REVISION).ok())
}

/// What `--version` says after the name.
#[must_use]
pub fn version_and_revision() -> String {
    format!("{VERSION} ({})", revision())
}

fn told(revision: Option<String>) -> String {
    let is_one = |text: &str| {
        let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        (1..=MAX_CHARS).contains(&text.len()) && text.chars().all(is_usual)
    };
    revision
        .filter(|text| is_one(text) && text != "unknown")
        .unwrap_or_else(|| BUILT_FROM.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_says_its_revision_and_what_is_none_is_not_shown() {
        assert_eq!(told(Some("4f2a-dirty".into())), "4f2a-dirty");
        let too_long = "a".repeat(MAX_CHARS + 1);
        for none in ["", "unknown", "two words", "a\nb", too_long.as_str()] {
            assert_eq!(told(Some(none.to_owned())), BUILT_FROM, "{none:?}");
        }
        assert_eq!(told(None), BUILT_FROM);
    }
}
