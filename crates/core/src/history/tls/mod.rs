//! TLS to Postgres: the client configuration of each sslmode, and its failures.

mod authorities;
mod encryption_error;
mod verifier;

pub use self::authorities::AuthoritiesError;
pub use self::encryption_error::EncryptionError;

pub(super) use self::encryption_error::find_encryption_error;

use self::verifier::AnyHostVerifier;
use super::encryption::Encryption;
use rustls::ClientConfig;
use rustls::crypto::ring;
use std::sync::Arc;

/// The ALPN protocol name of Postgres.
const ALPN_PROTOCOL: &[u8] = b"postgresql";

/// The TLS configuration for this encryption. Reads the certificates of the authorities.
pub(super) fn client_config(encryption: &Encryption) -> Result<ClientConfig, AuthoritiesError> {
    let (roots, host_name) = match encryption {
        Encryption::Verified {
            authorities,
            host_name,
        } => (
            Some(authorities::root_store(authorities, *host_name)?),
            *host_name,
        ),
        Encryption::Disabled | Encryption::Preferred | Encryption::Unverified => (None, false),
    };
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(AuthoritiesError::Provider)?;
    let builder = match roots {
        Some(roots) if host_name => builder.with_root_certificates(roots),
        roots => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyHostVerifier { roots, algorithms })),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![ALPN_PROTOCOL.to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests;
