//! Whether a request goes through a proxy: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY of the
//! environment hold for configured upstreams, except for those on this machine.

use hyper_util::client::proxy::matcher::Matcher;
use privachat_core::{domain::is_loopback, tls::CaFile};
use reqwest::{Certificate, Client, redirect};
use url::Url;

use super::{CONNECT_TIMEOUT, USER_AGENT};

/// What an error adds to its reason when a proxy was asked.
pub const THROUGH_PROXY: &str =
    ", through the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names";

/// The clients for all configured upstreams; clones share their connections. They follow no redirect:
/// the key of a request must not travel to an address that the operator did not write down. The
/// time of a whole request is the caller's deadline.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Through the proxies of the environment.
    usual: Client,
    direct: Client,
}

impl Clients {
    /// Both clients. Upstreams may show a certificate of the authorities in `ca`, beside those of the
    /// public ones.
    ///
    /// # Errors
    /// When the TLS backend cannot be set up.
    pub fn new(ca: Option<&CaFile>) -> reqwest::Result<Self> {
        let certificates = ca.map(CaFile::certificates).unwrap_or_default();
        let certificates: Vec<Certificate> = certificates
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect::<reqwest::Result<_>>()?;
        // Fails only when a provider is installed already, which serves as well.
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
            usual: builder().build()?,
            direct: builder().no_proxy().build()?,
        })
    }

    /// The client for the upstream at `base`, or at its public address.
    #[must_use]
    pub fn to(&self, base: Option<&Url>) -> Client {
        let client = match base {
            Some(base) if is_loopback(base) => &self.direct,
            _ => &self.usual,
        };
        client.clone()
    }
}

/// Whether a proxy is asked for `url`. Looks the environment up: for errors, which are few.
pub(super) fn serves(url: &Url) -> bool {
    let Ok(target) = url.as_str().parse() else {
        return false;
    };
    !is_loopback(url) && Matcher::from_system().intercept(&target).is_some()
}
