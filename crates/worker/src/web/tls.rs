//! The TLS provider that every HTTP client of the process uses.

/// Makes ring the process's TLS provider. Safe to call any number of times; the first one counts.
pub fn install() {
    // An error means that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
