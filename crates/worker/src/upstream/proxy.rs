//! The clients for configured upstreams, with and without a proxy. HTTP_PROXY, HTTPS_PROXY,
//! ALL_PROXY and NO_PROXY apply, except to upstreams on this machine.

use hyper_util::client::proxy::matcher::Matcher;
use privachat_core::{domain::is_loopback, tls::CaFile};
use reqwest::{Certificate, Client, redirect};
use url::Url;

use super::{CONNECT_TIMEOUT, USER_AGENT};

/// Suffix of an error's reason when the request went through a proxy.
pub const PROXY_SUFFIX: &str =
    ", through the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names";

/// The clients for all configured upstreams; clones share their connections. They follow no
/// redirect, so that an API key never reaches an address that is not configured. The caller's
/// deadline limits the whole request.
#[derive(Debug, Clone)]
pub struct UpstreamClients {
    /// Uses the proxies of the environment.
    proxied: Client,
    direct: Client,
}

impl UpstreamClients {
    /// Creates both clients. They trust the public authorities and those in `ca`.
    ///
    /// # Errors
    /// When the TLS backend cannot be set up.
    pub fn new(ca: Option<&CaFile>) -> reqwest::Result<Self> {
        let certificates = ca.map(CaFile::certificates).unwrap_or_default();
        let certificates: Vec<Certificate> = certificates
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect::<reqwest::Result<_>>()?;
        // An error means that a provider is installed already; that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            Client::builder()
                .user_agent(USER_AGENT)
                .connect_timeout(CONNECT_TIMEOUT)
                .redirect(redirect::Policy::none())
                .tcp_nodelay(true)
                .tls_certs_merge(certificates.clone())
        };
        Ok(Self {
            proxied: builder().build()?,
            direct: builder().no_proxy().build()?,
        })
    }

    /// The client for the upstream at `base`; `None` means a public address.
    #[must_use]
    pub fn client_for(&self, base: Option<&Url>) -> Client {
        let client = match base {
            Some(base) if is_loopback(base) => &self.direct,
            _ => &self.proxied,
        };
        client.clone()
    }
}

/// Whether requests to `url` go through a proxy. Reads the environment at each call; used for
/// errors, which are rare.
pub(super) fn is_proxied(url: &Url) -> bool {
    let Ok(target) = url.as_str().parse() else {
        return false;
    };
    !is_loopback(url) && Matcher::from_system().intercept(&target).is_some()
}
