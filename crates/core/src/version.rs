//! What this is a build of.

/// The version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The revision of the sources, where the build knew it (`build.rs`).
pub const REVISION: &str = match option_env!("PRIVACHAT_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// What `--version` says after the name: the version and the revision in brackets.
#[must_use]
pub fn text() -> String {
    format!("{VERSION} ({REVISION})")
}
