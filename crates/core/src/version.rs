//! What this is a build of.

/// The version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The revision of the sources, or `unknown`; `build.rs` finds it out.
pub const REVISION: &str = env!("PRIVACHAT_REVISION");

/// What `--version` says after the name.
pub const VERSION_AND_REVISION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("PRIVACHAT_REVISION"),
    ")"
);
