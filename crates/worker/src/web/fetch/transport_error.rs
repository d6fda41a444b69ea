//! Converts errors of the HTTP client. The messages contain no address.

use super::{guard, resolver::NoPublicAddress};
use crate::pipeline::FetchError;
use std::{error::Error, io};

pub(super) fn from_reqwest(error: &reqwest::Error) -> FetchError {
    if error.is_timeout() {
        return FetchError::TimedOut;
    }
    let causes = || std::iter::successors(error.source(), |cause| (*cause).source());
    if causes().any(|cause| cause.is::<NoPublicAddress>()) {
        return guard::PRIVATE_ADDRESS;
    }
    let kind = causes()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .last();
    let is_tls = causes().any(|cause| {
        cause.is::<rustls::Error>()
            || cause
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref)
                .is_some_and(|inner| inner.is::<rustls::Error>())
    });
    let reason = match kind {
        _ if is_tls => "the certificate or the TLS connection is not valid",
        Some(io::ErrorKind::ConnectionRefused) => "connection refused",
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => "connection cut",
        Some(io::ErrorKind::TimedOut) => return FetchError::TimedOut,
        _ if error.is_connect() => "no connection",
        _ if error.is_decode() || error.is_body() => "the transfer broke off",
        _ => "not a valid HTTP response",
    };
    FetchError::Unreachable(reason.to_owned())
}
