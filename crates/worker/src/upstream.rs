//! HTTP to configured upstreams: search engines and models. Pages are fetched by
//! [`crate::web::fetch`], which guards against private addresses.

mod error;
mod probe;
mod proxy;
mod request;
mod retry_after;

pub use error::UpstreamError;
pub use probe::ProbeError;
pub use proxy::{PROXY_SUFFIX, UpstreamClients};
pub use request::{MAX_BODY_BYTES, UpstreamResponse, read_response, send};
pub use retry_after::retry_after;

use std::time::Duration;
use url::Url;

/// The limit for connecting to an upstream.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The User-Agent of requests to upstreams.
pub const USER_AGENT: &str = concat!("PrivaChatSearch/", env!("CARGO_PKG_VERSION"));

/// Appends `path` to the path of `base`, with or without a slash at its end.
#[must_use]
pub fn endpoint(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let joined = format!("{}/{path}", base.path().trim_end_matches('/'));
    url.set_path(&joined);
    url.set_fragment(None);
    url
}

/// A client for tests, whose servers run on this machine.
#[cfg(test)]
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    let here = Url::parse("http://localhost/").ok();
    Ok(UpstreamClients::new(None)?.client_for(here.as_ref()))
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
pub(crate) mod fuzz;
#[cfg(test)]
mod tests;
