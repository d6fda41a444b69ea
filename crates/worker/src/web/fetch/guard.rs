//! Checks URLs before they are fetched (SSRF guard). The resolver checks the addresses of names
//! again.

use super::{address::is_public, rules::FetchRules};
use crate::pipeline::FetchError;
use std::net::IpAddr;
use url::{Host, Url};

/// The error for a private address, here and in the resolver.
pub(super) const PRIVATE_ADDRESS: FetchError = FetchError::Forbidden("a private address");

/// Which addresses an allowed URL may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressPolicy {
    /// Public addresses only.
    PublicOnly,
    /// Any address: the operator has allow-listed the host.
    Any,
}

pub(super) fn check_url(url: &Url, rules: &FetchRules) -> Result<AddressPolicy, FetchError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(FetchError::Forbidden("only http and https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Forbidden("an address with credentials"));
    }
    if rules.is_excluded(url) {
        return Err(FetchError::Forbidden("an excluded domain"));
    }
    if rules.is_allow_listed(url) {
        return Ok(AddressPolicy::Any);
    }
    // Literal addresses never reach the resolver.
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err(FetchError::Forbidden("an address without a host")),
    };
    match literal {
        Some(address) if !is_public(address) => Err(PRIVATE_ADDRESS),
        _ => Ok(AddressPolicy::PublicOnly),
    }
}
