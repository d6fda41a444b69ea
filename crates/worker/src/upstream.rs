//! HTTP to the upstreams that the operator configured: search engines and models. Pages of the
//! open web go another, guarded way.

mod exchange;
mod probe;
mod retry_after;
mod trouble;

pub use exchange::{MAX_BODY_BYTES, Reply, exchange, read};
pub use probe::ProbeError;
pub use retry_after::retry_after;
pub use trouble::Trouble;

use privachat_core::tls::CaFile;
use reqwest::{Certificate, Client, redirect};
use std::time::Duration;
use url::Url;

/// How long connecting may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What this service calls itself.
pub const USER_AGENT: &str = concat!("PrivaChatSearch/", env!("CARGO_PKG_VERSION"));

/// The client for all configured upstreams; clones share its connections. It follows no redirect:
/// the key of a request must not travel to an address that the operator did not write down. The
/// time of a whole request is the caller's deadline.
///
/// # Errors
/// When the TLS backend cannot be set up.
pub fn client() -> reqwest::Result<Client> {
    client_trusting(None)
}

/// The same; upstreams may show a certificate of these authorities, too.
///
/// # Errors
/// As [`client`].
pub fn client_trusting(ca: Option<&CaFile>) -> reqwest::Result<Client> {
    let certificates = ca.map(CaFile::certificates).unwrap_or_default();
    let certificates: Vec<Certificate> = certificates
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<reqwest::Result<_>>()?;
    // Fails only when a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none())
        .tcp_nodelay(true)
        .tls_certs_merge(certificates)
        .build()
}

/// `base` with `path` added to its own path, whether or not that ends with a slash.
#[must_use]
pub fn endpoint(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let joined = format!("{}/{path}", base.path().trim_end_matches('/'));
    url.set_path(&joined);
    url.set_fragment(None);
    url
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
pub(crate) mod odd;
#[cfg(test)]
mod tests;
