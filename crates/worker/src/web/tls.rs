//! The TLS provider of all HTTP clients of the process.

/// Installs ring as the process's TLS provider. Only the first call has an effect.
pub fn install() {
    // An error means that a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
