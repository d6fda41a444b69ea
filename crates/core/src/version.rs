//! The version and the source revision of this build.

/// The package version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The git revision at build time, or `unknown`; set by `build.rs`.
const BUILT_FROM: &str = env!("BUILT_FROM");

/// The environment variable with the revision of a container image. The image build sets it; it is
/// not a setting.
const REVISION_VARIABLE: &str = "PRIVACHAT_REVISION";

/// A longer revision from the environment is ignored.
const MAX_REVISION_CHARS: usize = 64;

/// The source revision: that of the image, else that of git, else `unknown`.
#[must_use]
pub fn revision() -> String {
    valid_or_built_from(std::env::var(REVISION_VARIABLE).ok())
}

/// What `--version` prints after the name of the binary.
#[must_use]
pub fn version_and_revision() -> String {
    format!("{VERSION} ({})", revision())
}

fn valid_or_built_from(revision: Option<String>) -> String {
    let is_one = |text: &str| {
        let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        (1..=MAX_REVISION_CHARS).contains(&text.len()) && text.chars().all(is_usual)
    };
    revision
        .filter(|text| is_one(text) && text != "unknown")
        .unwrap_or_else(|| BUILT_FROM.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_formed_image_revision_is_used_and_any_other_ignored() {
        assert_eq!(valid_or_built_from(Some("4f2a-dirty".into())), "4f2a-dirty");
        let too_long = "a".repeat(MAX_REVISION_CHARS + 1);
        for none in ["", "unknown", "two words", "a\nb", too_long.as_str()] {
            assert_eq!(
                valid_or_built_from(Some(none.to_owned())),
                BUILT_FROM,
                "{none:?}"
            );
        }
        assert_eq!(valid_or_built_from(None), BUILT_FROM);
    }
}
