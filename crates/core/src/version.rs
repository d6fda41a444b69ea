//! What this is a build of.

/// The version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The revision of the sources, where the build knew it.
pub const REVISION: &str = match option_env!("PRIVACHAT_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
