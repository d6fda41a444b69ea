//! Proxies that are trusted by their name, as the services of compose know each other: the addresses change with
//! each start, so they are looked up again and again.

use std::{
    collections::HashSet,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::net::lookup_host;

/// How long a proxy that was started anew may be taken for a stranger.
const LOOK_UP_INTERVAL: Duration = Duration::from_secs(5);

/// Names of hosts, and the addresses that they had at the last look. Clones share the addresses.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    names: Vec<String>,
    addresses: Arc<RwLock<HashSet<IpAddr>>>,
}

impl Names {
    /// Takes `entry` in; `false` when it cannot be the name of a host.
    pub(super) fn add(&mut self, entry: &str) -> bool {
        let is_name = is_name(entry);
        if is_name {
            self.names.push(entry.to_owned());
        }
        is_name
    }

    /// Whether one of the names had this address at the last look.
    pub(super) fn have(&self, address: IpAddr) -> bool {
        !self.names.is_empty()
            && self
                .addresses
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(&address)
    }

    /// Looks them up for as long as it is run.
    pub(super) async fn follow(&self) {
        while !self.names.is_empty() {
            self.look_up().await;
            tokio::time::sleep(LOOK_UP_INTERVAL).await;
        }
        std::future::pending().await
    }

    /// A name that is not known now has no address: its proxy does not run, and the address it had may be
    /// somebody else's.
    async fn look_up(&self) {
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
                "the names in API_TRUSTED_PROXIES have other addresses"
            );
            *addresses = found;
        }
    }
}

/// Letters, digits, dots, dashes and underscores, and a last part that no address ends with.
fn is_name(entry: &str) -> bool {
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
    fn what_is_no_name_is_not_taken_for_one() {
        let mut names = Names::default();
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
    async fn a_name_stands_for_the_addresses_it_has_now() {
        let mut names = Names::default();
        assert!(names.add("localhost") && names.add("nowhere.invalid"));
        let here = IpAddr::from([127, 0, 0, 1]);
        assert!(!names.have(here), "nothing was looked up");
        names.look_up().await;
        assert!(names.have(here) && !names.have(IpAddr::from([192, 0, 2, 1])));
        names.names.remove(0);
        names.look_up().await;
        assert!(!names.have(here), "it is gone");
    }
}
