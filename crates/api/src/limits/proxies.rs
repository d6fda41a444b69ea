//! The client's address and scheme behind reverse proxies. Clients can forge the X-Forwarded-*
//! headers, so only those of the proxies in API_TRUSTED_PROXIES count.

use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, HeaderName},
};
use host_names::HostNames;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

mod host_names;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The proxies of API_TRUSTED_PROXIES.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies {
    networks: Vec<IpNet>,
    host_names: HostNames,
}

impl TrustedProxies {
    /// Parses addresses, networks and host names. [`Self::resolve_periodically`] keeps the addresses of the
    /// names current: a container gets a new one with each start.
    ///
    /// # Errors
    /// The position, from 1, of the first entry that is none of these.
    pub(crate) fn parse(entries: &[String]) -> Result<Self, usize> {
        let mut proxies = Self::default();
        for (place, entry) in (1..).zip(entries) {
            let address = entry.parse().map(|address: IpAddr| address.to_canonical());
            let network = address
                .map(IpNet::from)
                .or_else(|_no_address| entry.parse());
            match network {
                Ok(network) => proxies.networks.push(network),
                Err(_no_network) if proxies.host_names.add(entry) => {}
                Err(_no_network) => return Err(place),
            }
        }
        Ok(proxies)
    }

    /// Resolves the names periodically; never returns.
    pub(crate) async fn resolve_periodically(self) {
        self.host_names.resolve_periodically().await;
    }

    /// The client's address: the last one on the path to here that is not a trusted proxy's.
    pub(crate) fn client_address(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = peer_address(request)?;
        Some(self.address_behind_proxies(peer, request.headers()))
    }

    /// Whether a trusted proxy says that it received the request over TLS.
    pub(crate) fn is_https(&self, request: &HttpRequest) -> bool {
        let is_trusted = peer_address(request).is_some_and(|peer| self.trusts(peer));
        let said = header_entries(request.headers(), &FORWARDED_PROTO).last();
        is_trusted && said.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
    }

    /// The network that shares one rate limit: an IPv4 address, or an IPv6 /64, which one customer
    /// has at least and from which each request may use another address (RFC 6177).
    pub(crate) fn rate_limit_network(address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        }
    }

    fn address_behind_proxies(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer;
        let mut way: Vec<&str> = header_entries(headers, &FORWARDED_FOR).collect();
        // Each proxy appends the address of its peer. Entries left of the first untrusted address
        // may be forged.
        while self.trusts(nearest) {
            let Some(before) = way.pop().and_then(parse_address) else {
                break;
            };
            nearest = before;
        }
        nearest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
            || self.host_names.contain(address)
    }
}

fn peer_address(request: &HttpRequest) -> Option<IpAddr> {
    Some(request.peer_addr()?.ip().to_canonical())
}

/// The comma-separated entries of all header lines with this name.
fn header_entries<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = headers
        .get_all(name)
        .map(|line| line.to_str().unwrap_or(""));
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Parses an address; some proxies append the port.
fn parse_address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let address = bare.unwrap_or(entry).parse::<IpAddr>();
    let with_port = || entry.parse::<SocketAddr>().map(|socket| socket.ip());
    let address = address.or_else(|_no_address| with_port()).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests;
