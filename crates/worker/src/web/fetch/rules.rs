//! The operator's rules for fetching pages.

use privachat_core::domain::{DomainList, ascii_host_and_port, host_name};
use url::Url;

/// Limits and permissions for fetching pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRules {
    /// `host` or `host:port` that may be fetched although its address is private. An IPv6 address
    /// is in brackets.
    pub allow_hosts: Vec<String>,
    /// Domains that are never fetched.
    pub excluded_domains: DomainList,
    /// The User-Agent header; its part before `/` is the agent name for robots.txt.
    pub user_agent: String,
    /// The limit of a page, in bytes after decompression.
    pub max_bytes: usize,
    /// Concurrent requests per host.
    pub max_per_host: usize,
    /// Concurrent requests to all hosts.
    pub max_total: usize,
    /// Whether robots.txt is obeyed.
    pub respect_robots: bool,
}

impl Default for FetchRules {
    fn default() -> Self {
        Self {
            allow_hosts: Vec::new(),
            excluded_domains: DomainList::default(),
            user_agent: concat!("PrivaChatSearch/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_bytes: 5 * 1024 * 1024,
            max_per_host: 2,
            max_total: 32,
            respect_robots: true,
        }
    }
}

impl FetchRules {
    /// Whether the operator has allow-listed this host and port.
    pub(super) fn is_allow_listed(&self, url: &Url) -> bool {
        let Some(host) = host_name(url) else {
            return false;
        };
        let with_port = url
            .port_or_known_default()
            .map(|port| format!("{host}:{port}"));
        self.allow_hosts.iter().any(|entry| {
            let entry = ascii_host_and_port(entry);
            entry == host || Some(&entry) == with_port.as_ref()
        })
    }

    pub(super) fn is_excluded(&self, url: &Url) -> bool {
        host_name(url).is_none() || self.excluded_domains.covers(url)
    }
}

#[cfg(test)]
mod tests {
    use super::FetchRules;
    use url::Url;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn entry_with_a_port_allows_only_that_port() {
        let rules = FetchRules {
            allow_hosts: vec![
                "docs.internal".into(),
                "127.0.0.1:8080".into(),
                "[::1]:80".into(),
                "Bücher.internal:81".into(),
            ],
            ..FetchRules::default()
        };
        for vouched in [
            "http://docs.internal:99/",
            "http://127.0.0.1:8080/",
            "http://[::1]/",
            "http://bücher.internal:81/",
        ] {
            assert!(rules.is_allow_listed(&url(vouched)), "{vouched}");
        }
        for other in [
            "http://127.0.0.1:8081/",
            "http://127.0.0.1/",
            "http://[::1]:81/",
            "http://x.docs.internal/",
        ] {
            assert!(!rules.is_allow_listed(&url(other)), "{other}");
        }
    }
}
