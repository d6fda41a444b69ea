//! Trusted proxies given by host name, such as a compose service: the address changes with each
//! start, so the names are resolved periodically.

use std::{
    collections::HashSet,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::net::lookup_host;

/// For this long a restarted proxy may not be trusted yet.
const RESOLVE_INTERVAL: Duration = Duration::from_secs(5);

/// Host names and the addresses that they last resolved to. Clones share the addresses.
#[derive(Debug, Clone, Default)]
pub(super) struct HostNames {
    names: Vec<String>,
    addresses: Arc<RwLock<HashSet<IpAddr>>>,
}

impl HostNames {
    /// Adds `entry`; `false` when it is not a valid host name.
    pub(super) fn add(&mut self, entry: &str) -> bool {
        let is_name = is_host_name(entry);
        if is_name {
            self.names.push(entry.to_owned());
        }
        is_name
    }

    /// Whether one of the names last resolved to `address`.
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        !self.names.is_empty()
            && self
                .addresses
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(&address)
    }

    /// Resolves the names periodically; never returns.
    pub(super) async fn resolve_periodically(&self) {
        while !self.names.is_empty() {
            self.resolve().await;
            tokio::time::sleep(RESOLVE_INTERVAL).await;
        }
        std::future::pending().await
    }

    /// Resolves all names once. A name that fails loses its address: its proxy does not run, and
    /// another host may have the address now.
    async fn resolve(&self) {
        let mut found = HashSet::new();
        for name in &self.names {
            if let Ok(sockets) = lookup_host((name.as_str(), 0)).await {
                found.extend(sockets.map(|socket| socket.ip().to_canonical()));
            }
        }
        let mut addresses = self
            .addresses
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if *addresses != found {
            tracing::info!(
                proxies = found.len(),
                "the names in API_TRUSTED_PROXIES resolve to new addresses"
            );
            *addresses = found;
        }
    }
}

/// Labels of letters, digits, dashes and underscores; the last one has a letter, as no IPv4 address
/// has.
fn is_host_name(entry: &str) -> bool {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut parts = entry.split('.');
    entry.len() <= 253
        && entry
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(is_usual))
        && parts
            .next_back()
            .is_some_and(|last| last.chars().any(|c| c.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_names_are_accepted() {
        let mut names = HostNames::default();
        for name in [
            "proxy",
            "proxy.example",
            "caddy-1",
            "a_b.internal",
            "1.example2",
        ] {
            assert!(names.add(name), "{name}");
        }
        for wrong in [
            "",
            "10.0.0",
            "10.0.0.1:80",
            "10.0.0.0/33",
            "a b",
            "proxy.",
            ".proxy",
            "::1",
            "http://proxy",
        ] {
            assert!(!names.add(wrong), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn addresses_are_those_of_the_last_resolution() {
        let mut names = HostNames::default();
        assert!(names.add("localhost") && names.add("nowhere.invalid"));
        let here = IpAddr::from([127, 0, 0, 1]);
        assert!(!names.contain(here), "not resolved yet");
        names.resolve().await;
        assert!(names.contain(here) && !names.contain(IpAddr::from([192, 0, 2, 1])));
        names.names.remove(0);
        names.resolve().await;
        assert!(!names.contain(here), "the name is removed");
    }
}
