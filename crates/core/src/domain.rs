//! The domains behind addresses: the name of a site, its publisher, and lists of domains.

use url::{Host, Url};

/// The name that stands for the site of `url`: the label before the public suffix ("bbc" for
/// `www.bbc.co.uk`, "wikipedia" for `en.wikipedia.org`), the whole host where there is no such
/// label (addresses, `localhost`, a bare suffix), "file" for local documents, and an empty text
/// when `url` names no place at all.
#[must_use]
pub fn registrable_name(url: &str) -> String {
    let Ok(url) = Url::parse(url) else {
        return String::new();
    };
    if url.scheme() == "file" {
        return "file".to_owned();
    }
    match url.host() {
        None => String::new(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(Host::Domain(host)) => label(host).to_owned(),
    }
}

/// The registrable domain of `url` ("bbc.co.uk"): what two pages of one publisher share. The whole
/// host where the public suffix list knows none.
#[must_use]
pub fn registrable_domain(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_end_matches('.').to_lowercase();
    if host.is_empty() {
        return None;
    }
    let domain = psl::domain_str(&host).map(str::to_owned);
    Some(domain.unwrap_or(host))
}

/// Domains that an operator named. `example.com` covers the domain and its subdomains,
/// `*.example.com` only the subdomains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainList(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    domain: String,
    is_for_subdomains_only: bool,
}

impl DomainList {
    /// A list of these rules; case, surrounding space and a dot at the end do not matter.
    #[must_use]
    pub fn new(rules: &[String]) -> Self {
        let rules = rules
            .iter()
            .map(|rule| rule.trim().trim_end_matches('.').to_ascii_lowercase())
            .filter(|rule| !rule.is_empty());
        let rules = rules.map(|rule| match rule.strip_prefix("*.") {
            Some(parent) => Rule {
                domain: parent.to_owned(),
                is_for_subdomains_only: true,
            },
            None => Rule {
                domain: rule,
                is_for_subdomains_only: false,
            },
        });
        Self(rules.collect())
    }

    /// Whether `url` lies in one of the domains. An address without a host lies in none.
    #[must_use]
    pub fn covers(&self, url: &Url) -> bool {
        let Some(host) = host_name(url) else {
            return false;
        };
        self.0.iter().any(|rule| {
            is_below(&host, &rule.domain) || (!rule.is_for_subdomains_only && host == rule.domain)
        })
    }
}

/// The host in lower case, without the dot that may end a full name.
#[must_use]
pub fn host_name(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.');
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

fn is_below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn label(host: &str) -> &str {
    let host = host.trim_end_matches('.');
    let Some(domain) = psl::domain_str(host) else {
        return host;
    };
    domain.split('.').next().unwrap_or(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_by_the_label_before_its_public_suffix() {
        for (url, name) in [
            ("https://en.wikipedia.org/wiki/Rust", "wikipedia"),
            ("https://www.bbc.co.uk/news", "bbc"),
            ("https://docs.python.org/3/", "python"),
            ("https://user.github.io/page", "user"),
            ("http://EXAMPLE.com.:8080/", "example"),
        ] {
            assert_eq!(registrable_name(url), name, "{url}");
        }
    }

    #[test]
    fn a_place_without_a_public_suffix_is_named_as_it_is() {
        for (url, name) in [
            ("http://192.0.2.7/a", "192.0.2.7"),
            ("http://[2001:db8::1]/a", "2001:db8::1"),
            ("http://localhost:9000/x", "localhost"),
            ("file:///srv/docs/a.html", "file"),
            ("not an address", ""),
        ] {
            assert_eq!(registrable_name(url), name, "{url}");
        }
    }

    #[test]
    fn a_domain_covers_its_subdomains_and_a_wildcard_only_them() {
        let rules = ["Example.com", "*.wild.test", ""].map(str::to_owned);
        let list = DomainList::new(&rules);
        let covers = |url: &str| list.covers(&Url::parse(url).unwrap());
        for url in [
            "http://example.com/",
            "https://EXAMPLE.com:8443/x",
            "http://a.b.example.com/",
            "http://example.com./",
            "http://a.wild.test/",
        ] {
            assert!(covers(url), "{url}");
        }
        for url in [
            "http://notexample.com/",
            "http://wild.test/",
            "http://example.com.org/",
            "file:///srv/example.com/a.html",
        ] {
            assert!(!covers(url), "{url}");
        }
    }

    #[test]
    fn pages_of_one_publisher_share_a_registrable_domain() {
        assert_eq!(
            registrable_domain("https://news.bbc.co.uk/1"),
            registrable_domain("https://www.bbc.co.uk/2")
        );
        assert_eq!(registrable_domain("file:///srv/a.html"), None);
    }
}
