//! Checks the `Host` header against DNS rebinding: a web page can point its own name at this
//! machine and then has the same origin as the service, but its browser still sends that name in
//! `Host`. [`AllowedHosts`] accepts only names that an attacker cannot own: loopback names, IP
//! addresses and those that the operator configured.

use std::net::{IpAddr, Ipv6Addr};
use url::Host;

/// The answer to a request with another name.
pub const HOST_REFUSED: &str = "The name in the Host header is not one of the service's names: the operator adds it to \
                           ALLOWED_HOSTS, also a name that a reverse proxy passes on";

/// The form of an entry of ALLOWED_HOSTS.
const EXPECTED_ENTRY: &str = "must be a name without scheme, port and path, such as search.example.com; \
                        *.example.com for all names below it, or * for any name";

/// The host names that a process accepts in addition to loopback names and IP addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<HostRule>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostRule {
    Any,
    Name(String),
    SubdomainsOf(String),
}

impl AllowedHosts {
    /// Parses the entries of ALLOWED_HOSTS; international names may be in Unicode.
    ///
    /// # Errors
    /// The position (from 1) of the first malformed entry, and the expected form.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let rules = (1..).zip(entries).map(|(place, entry)| {
            let rule = parse_rule(entry);
            rule.ok_or_else(|| format!("entry {place} {EXPECTED_ENTRY}"))
        });
        rules.collect::<Result<_, _>>().map(Self)
    }

    /// Adds the name that the process listens at; an IP address adds nothing.
    #[must_use]
    pub fn with_listen_host(mut self, listens_at: &str) -> Self {
        self.0.extend(parse_name(listens_at).map(HostRule::Name));
        self
    }

    /// Whether this `Host` value, with or without a port, is accepted.
    #[must_use]
    pub fn allows(&self, authority: &str) -> bool {
        if self.0.contains(&HostRule::Any) {
            return true;
        }
        let Some(host) = without_port(authority) else {
            return false;
        };
        is_ip_address(host) || {
            let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
            is_loopback(&host) || self.0.iter().any(|rule| rule.covers(&host))
        }
    }
}

impl HostRule {
    fn covers(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Name(name) => host == name,
            Self::SubdomainsOf(parent) => is_subdomain(host, parent),
        }
    }
}

fn parse_rule(entry: &str) -> Option<HostRule> {
    match (entry, entry.strip_prefix("*.")) {
        ("*", _) => Some(HostRule::Any),
        (_, Some(parent)) => parse_name(parent).map(HostRule::SubdomainsOf),
        (address, None) if is_ip_address(address) => Some(HostRule::Name(address.to_owned())),
        (entry, None) => parse_name(entry).map(HostRule::Name),
    }
}

/// The name as browsers send it, in lower case and ASCII; `None` for an IP address.
fn parse_name(text: &str) -> Option<String> {
    match Host::parse(text.strip_suffix('.').unwrap_or(text)).ok()? {
        Host::Domain(name) if !name.contains('*') => Some(name),
        _ => None,
    }
}

/// Splits a port off (RFC 9112, section 3.2).
fn without_port(authority: &str) -> Option<&str> {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, rest) = match authority.get(end..)?.find(':') {
        Some(colon) => authority.split_at_checked(end + colon)?,
        None => (authority, ""),
    };
    let port = rest.strip_prefix(':').unwrap_or(rest);
    port.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(host)
}

fn is_ip_address(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok(),
    }
}

/// Every resolver maps these names to the machine itself (RFC 6761, section 6.3).
fn is_loopback(host: &str) -> bool {
    host == "localhost" || is_subdomain(host, "localhost")
}

fn is_subdomain(host: &str, parent: &str) -> bool {
    let before = host
        .strip_suffix(parent)
        .and_then(|it| it.strip_suffix('.'));
    before.is_some_and(|before| !before.is_empty())
}

#[cfg(test)]
mod tests;
