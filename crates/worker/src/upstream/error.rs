//! Errors of a request to an upstream.

use super::{PROXY_SUFFIX, proxy};
use privachat_core::tls::TlsError;
use std::{error::Error, io};

/// Why there is no complete response. The messages contain no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// The deadline passed.
    #[error("no answer in time")]
    TimedOut,
    /// The connection failed or broke.
    #[error("{0}")]
    Connection(&'static str),
    /// The same, through a proxy.
    #[error("{0}{PROXY_SUFFIX}")]
    ViaProxy(&'static str),
    /// The response exceeds the size limit.
    #[error("an answer larger than {} MB", super::MAX_BODY_BYTES / 1_000_000)]
    TooLarge,
}

impl From<reqwest::Error> for UpstreamError {
    fn from(error: reqwest::Error) -> Self {
        match Self::classify(&error) {
            Self::Connection(reason) if error.url().is_some_and(proxy::is_proxied) => {
                Self::ViaProxy(reason)
            }
            trouble => trouble,
        }
    }
}

impl UpstreamError {
    fn classify(error: &reqwest::Error) -> Self {
        if error.is_dns() {
            return Self::Connection("its name does not resolve");
        }
        if error.is_connect() {
            return Self::Connection(connect_reason(error));
        }
        if error.is_timeout() {
            return Self::TimedOut;
        }
        if error.is_body() || error.is_decode() {
            return Self::Connection("the answer broke off");
        }
        if error.is_builder() {
            return Self::Connection("not an http(s) address");
        }
        Self::Connection("the connection broke")
    }
}

/// Reports only the kind of the cause, since its text would contain the address.
fn connect_reason(error: &reqwest::Error) -> &'static str {
    if let Some(fault) = TlsError::find_in(error) {
        return tls_reason(fault);
    }
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::ConnectionRefused => return "connection refused",
                io::ErrorKind::ConnectionReset => return "connection reset",
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    return "host unreachable";
                }
                _ => {}
            }
        }
        cause = current.source();
    }
    if error.is_timeout() {
        return "connecting took too long";
    }
    "no connection"
}

fn tls_reason(fault: TlsError) -> &'static str {
    match fault {
        TlsError::Untrusted => {
            "TLS: its certificate is not signed by an authority that is trusted here; set UPSTREAM_CA_FILE \
             to the authority's certificate"
        }
        TlsError::WrongName => "TLS: its certificate is for another host name",
        TlsError::Outdated => "TLS: its certificate has expired or is not valid yet",
        TlsError::Unusable => "TLS: its certificate cannot be used as one of a server",
        TlsError::Handshake => "TLS: no encrypted connection could be agreed on",
    }
}
