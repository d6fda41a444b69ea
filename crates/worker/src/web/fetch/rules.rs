//! What the operator allows the fetcher to do.

use url::Url;

/// Limits and permissions for fetching pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRules {
    /// `host` or `host:port`: may be fetched although the address is private. An IPv6 address
    /// stands in brackets.
    pub allow_hosts: Vec<String>,
    /// Never fetched. `example.com` covers the domain and its subdomains, `*.example.com` only the
    /// subdomains.
    pub excluded_domains: Vec<String>,
    /// The User-Agent header; its part before `/` is the name that robots.txt rules address.
    pub user_agent: String,
    /// Upper bound of a page, in bytes after decompression.
    pub max_bytes: usize,
    /// Requests at once to one host.
    pub per_host: usize,
    /// Requests at once to all hosts.
    pub total: usize,
    /// Whether robots.txt is honoured.
    pub respect_robots: bool,
}

impl Default for FetchRules {
    fn default() -> Self {
        Self {
            allow_hosts: Vec::new(),
            excluded_domains: Vec::new(),
            user_agent: concat!("PrivaChatSearch/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_bytes: 5 * 1024 * 1024,
            per_host: 2,
            total: 32,
            respect_robots: true,
        }
    }
}

impl FetchRules {
    /// Whether the operator vouches for this host and port.
    pub(super) fn vouches_for(&self, url: &Url) -> bool {
        let Some(host) = host_name(url) else {
            return false;
        };
        let with_port = url
            .port_or_known_default()
            .map(|port| format!("{host}:{port}"));
        self.allow_hosts.iter().any(|entry| {
            let entry = entry.trim().to_ascii_lowercase();
            entry == host || Some(&entry) == with_port.as_ref()
        })
    }

    pub(super) fn excludes(&self, url: &Url) -> bool {
        let Some(host) = host_name(url) else {
            return true;
        };
        self.excluded_domains
            .iter()
            .map(|rule| rule.trim().trim_end_matches('.').to_ascii_lowercase())
            .filter(|rule| !rule.is_empty())
            .any(|rule| match rule.strip_prefix("*.") {
                Some(parent) => is_below(&host, parent),
                None => host == rule || is_below(&host, &rule),
            })
    }
}

/// The host in lower case, without the dot that may end a full name.
pub(super) fn host_name(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.');
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

fn is_below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::FetchRules;
    use url::Url;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_domain_covers_its_subdomains_and_a_wildcard_only_them() {
        let rules = FetchRules {
            excluded_domains: vec!["Example.com".into(), "*.wild.test".into(), String::new()],
            ..FetchRules::default()
        };
        for excluded in [
            "http://example.com/",
            "https://EXAMPLE.com:8443/x",
            "http://a.b.example.com/",
            "http://example.com./",
            "http://a.wild.test/",
        ] {
            assert!(rules.excludes(&url(excluded)), "{excluded}");
        }
        for allowed in [
            "http://notexample.com/",
            "http://wild.test/",
            "http://example.com.org/",
        ] {
            assert!(!rules.excludes(&url(allowed)), "{allowed}");
        }
    }

    #[test]
    fn an_allowed_host_with_a_port_is_allowed_on_that_port_only() {
        let rules = FetchRules {
            allow_hosts: vec![
                "docs.internal".into(),
                "127.0.0.1:8080".into(),
                "[::1]:80".into(),
            ],
            ..FetchRules::default()
        };
        for vouched in [
            "http://docs.internal:99/",
            "http://127.0.0.1:8080/",
            "http://[::1]/",
        ] {
            assert!(rules.vouches_for(&url(vouched)), "{vouched}");
        }
        for other in [
            "http://127.0.0.1:8081/",
            "http://127.0.0.1/",
            "http://[::1]:81/",
            "http://x.docs.internal/",
        ] {
            assert!(!rules.vouches_for(&url(other)), "{other}");
        }
    }
}
