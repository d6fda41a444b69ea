//! By which names a process may be called. A page can have its own name lead to this machine (DNS
//! rebinding) and is then of the same origin as the service for its browser, which still sends that
//! name in `Host`. Only names that no stranger can have are answered: loopback ones, literal addresses,
//! and those that the operator gave.

use std::net::{IpAddr, Ipv6Addr};
use url::Host;

/// What is said to one who comes by another name.
pub const REFUSAL: &str = "This service does not answer to the name in the Host header: whoever runs it adds the name \
                           to ALLOWED_HOSTS, also when a reverse proxy in front passes it on";

/// What an entry of ALLOWED_HOSTS has to be.
const EXPECTED: &str = "must be a name without scheme, port and path, such as search.example.com; \
                        *.example.com for all names below it, or * for any name";

/// The names that a process answers to, beside loopback names and literal addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Any,
    Name(String),
    Below(String),
}

impl AllowedHosts {
    /// Reads the entries of ALLOWED_HOSTS; international names may be written as people write them.
    ///
    /// # Errors
    /// Which entry is none, by its place from 1, and what it should be.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let rules = (1..).zip(entries).map(|(place, entry)| {
            let rule = rule(entry);
            rule.ok_or_else(|| format!("entry {place} {EXPECTED}"))
        });
        rules.collect::<Result<_, _>>().map(Self)
    }

    /// The same, and the name that the process listens at, if it is one.
    #[must_use]
    pub fn and(mut self, listens_at: &str) -> Self {
        self.0.extend(name(listens_at).map(Rule::Name));
        self
    }

    /// Whether a request may come by this host, with or without a port.
    #[must_use]
    pub fn allow(&self, authority: &str) -> bool {
        if self.0.contains(&Rule::Any) {
            return true;
        }
        let Some(host) = without_port(authority) else {
            return false;
        };
        is_literal(host) || {
            let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
            is_loopback(&host) || self.0.iter().any(|rule| rule.covers(&host))
        }
    }
}

impl Rule {
    fn covers(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Name(name) => host == name,
            Self::Below(parent) => is_below(host, parent),
        }
    }
}

fn rule(entry: &str) -> Option<Rule> {
    match (entry, entry.strip_prefix("*.")) {
        ("*", _) => Some(Rule::Any),
        (_, Some(parent)) => name(parent).map(Rule::Below),
        (address, None) if is_literal(address) => Some(Rule::Name(address.to_owned())),
        (entry, None) => name(entry).map(Rule::Name),
    }
}

/// The name as browsers send it: in lower case and in ASCII.
fn name(text: &str) -> Option<String> {
    match Host::parse(text.strip_suffix('.').unwrap_or(text)).ok()? {
        Host::Domain(name) if !name.contains('*') => Some(name),
        _ => None,
    }
}

/// RFC 9112, section 3.2: a host, and a port if it is not the usual one.
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

fn is_literal(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok(),
    }
}

/// RFC 6761, section 6.3: these lead to the machine itself, whoever resolves them.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || is_below(host, "localhost")
}

fn is_below(host: &str, parent: &str) -> bool {
    let before = host
        .strip_suffix(parent)
        .and_then(|it| it.strip_suffix('.'));
    before.is_some_and(|before| !before.is_empty())
}

#[cfg(test)]
mod tests;
